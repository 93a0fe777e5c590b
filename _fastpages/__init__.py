"""Turns the notebooks of the series into Jekyll posts, with the conventions that fastpages gave its authors.

`python -m _fastpages` is the command. A notebook goes through these files, in this order: `documents` finds it by what
`names` says of its name, `repair` fills in what it lacks, `front_matter` reads its first cell with the `keys` that it
may hold, `addresses` gives it a place on the site, `liquid` takes out what Jekyll would run, `directives` reads the
comments and tags that hide or fold a cell and `hiding` follows them, `media` makes players of sounds and films,
`outputs` drops what is noise on a page and asks `interactive` what only a browser draws, `pictures` makes files of
pictures, `markdown`, `citations` of what `references` reads, `destinations`, `pipes`, `amounts`, `maths`, `tex`,
`figures`, `remote` and `tables` write the HTML, `sanitize` takes out what a page must not run, `tree` makes elements of
what is left, `exporter` puts them together on nbconvert, `deeper` folds what a first reader can skip, `reading` says
how long a reader takes, and `posts` writes the result into `_posts/` and `images/`.
`feed`, `search_words` and `offline` finish the site that Jekyll built.

Documents come from anywhere. `errors` says what is wrong with one in a line and lets the others go on, and `losses`
what a page had to leave out; `files`, `scan`, `prose`, `plain_yaml` and `patience` keep any of them from taking more
time or memory than a page is worth, or from being read for what they are not.

`python -m _fastpages import` is another command, in the folder `importer`: it brings an existing fastpages blog over.
"""
