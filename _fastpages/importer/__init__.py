"""Brings an existing fastpages blog into this project's layout: `python -m _fastpages import FOLDER`.

`blog` reads what is there, `heads` the front matter of its documents. `documents` and `pages` write them anew: `fields`
translates keys, `liquid` and `kramdown` the text, `rewriter` its addresses, which `places` finds in the old blog.
`settings` takes the configuration, `rest` the pictures and other files. `report` tells of everything that was met,
taken or not, and writes only where nothing stands.
"""

from pathlib import Path

from .blog import NotABlog, read_blog
from .documents import Taker
from .pages import find_pages, take_page
from .places import Places
from .report import LEFT_OUT, NOT_TAKEN, Report, Target
from .rest import take_rest
from .settings import take_config

__all__ = ["NOT_TAKEN", "NotABlog", "Report", "bring"]


def bring(folder: Path, to: Path, dry_run: bool = False) -> Report:
    """Takes the blog in `folder` over to the folder `to`; NotABlog where there is none, or where both are the same."""
    if folder.resolve() == to.resolve():
        raise NotABlog(f"{folder}: the blog and the folder that it comes into are the same; name another with --to")
    blog, report = read_blog(folder), Report()
    target = Target(to, report, dry_run)
    places = Places(blog, target)
    pages = find_pages(blog, places, report)
    places.settle(report)
    taker = Taker(blog, places, target, report)
    for source in blog.sources:
        taker.take(source)
    for path, address in pages.items():
        take_page(path, address, places, report)
    take_rest(blog, places, target, report)
    take_config(blog, target, report)
    if not (to / "_layouts").is_dir():
        report.add(LEFT_OUT, str(to), "no copy of this project, whose theme and commands build the blog")
    return report
