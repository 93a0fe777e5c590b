"""Turns the notebooks of the series into Jekyll posts, with the conventions that fastpages gave its authors.

`python -m _fastpages` is the command. A notebook goes through these files, in this order: `documents` finds it,
`front_matter` reads its first cell, `addresses` gives it a place on the site, `directives` reads the comments that hide
or fold a cell, `outputs` drops what is noise on a page, `pictures` moves pictures into files, `markdown`, `maths` and
`tables` write the HTML, `sanitize` takes out what a page must not run, `tree` makes elements of what is left,
`exporter` puts them together on nbconvert, and `posts` writes the result into `_posts/` and `images/`.

Documents come from anywhere. `errors` says what is wrong with one in a line and lets the others go on; `files`, `scan`,
`plain_yaml` and `patience` keep any of them from taking more time or memory than a page is worth.
"""
