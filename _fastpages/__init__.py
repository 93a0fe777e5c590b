"""Turns the notebooks of the series into Jekyll posts, with the conventions that fastpages gave its authors.

`python -m _fastpages` is the command. A notebook goes through these files, in this order:
`front_matter` reads its first cell, `directives` the comments that hide or fold a cell, `outputs` drops what is
noise on a page, `pictures` moves pictures into files, `markdown` and `tables` write the HTML, `sanitize` takes out what a
page must not run, `exporter` puts them together on nbconvert, and `posts` writes the result into `_posts/` and `images/`.
"""
