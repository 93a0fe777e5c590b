"""Brings over pictures and other files, and names everything in the blog that has no place here."""

from collections import Counter
from pathlib import Path

from ..errors import reason
from ..files import MEGABYTE, MOST_OF_OTHERS, read_bytes
from .blog import Blog
from .places import Places, new_place
from .report import CHANGED, LEFT_OUT, NOT_TAKEN, Report, Target

# What makes a fastpages blog work and is nobody's writing.
TOOLS = set(
    "_action_files _dev_tools _fastpages_docs _site .devcontainer.json .gitattributes .gitignore .nojekyll Gemfile "
    "Gemfile.lock LICENSE Makefile README.md README_TEMPLATE.md CONTRIBUTING.md DEVELOPMENT.md 404.html action.yml "
    "docker-compose.yml feed.xml node_modules vendor _diagram.png".split()
)
THEME = ("_includes", "_layouts", "_plugins", "_sass", "assets", "_data")
# The files of these folders that fastpages brings; custom-head.html, custom-styles.scss and
# custom-variables.scss are left out of the list, since they are for the blog's owner to change.
THEME_FILES = set(
    "_includes/alert.html _includes/favicons.html _includes/fn _includes/fn-detail _includes/google-analytics.html "
    "_includes/head.html _includes/image _includes/image-r _includes/image.html _includes/important.html "
    "_includes/info.html _includes/note.html _includes/notebook_binder_link.html "
    "_includes/notebook_colab_link.html _includes/notebook_deepnote_link.html _includes/notebook_github_link.html "
    "_includes/post_list.html _includes/post_list_image_card.html _includes/reading_time.html _includes/screenshot "
    "_includes/search-lunr.html _includes/social.html _includes/tip.html _includes/toc.html _includes/twitter.html "
    "_includes/utterances.html _includes/video.html _includes/warning.html _includes/youtube.html "
    "_includes/important-tip.html _layouts/categories.html _layouts/home.html _layouts/notebook.html "
    "_layouts/post.html _layouts/default.html _layouts/page.html _plugins/footnote-detail.rb _plugins/footnote.rb "
    "_sass/minima/dark-mode.scss _sass/minima/fastpages-dracula-highlight.scss _sass/minima/fastpages-styles.scss "
    "_sass/minima/fastpages-dark-mode.scss _sass/minima/initialize.scss _sass/minima/_base.scss "
    "assets/js/search.js assets/js/search-data.json assets/js/vanilla-back-to-top.min.js assets/main.scss "
    "assets/css/style.scss assets/minima-social-icons.svg".split()
)
FASTPAGES_README = {"_notebooks/README.md", "_posts/README.md", "_word/README.md", "images/copied_from_nb/README.md"}

# Why what its owner made is not taken, of single files and of all in a folder.
WHY = {
    "CNAME": "the domain of the old site; copy it when this site takes its place",
    "index.html": "the home page is the theme's; what you wrote on it belongs on the page About",
    "index.md": "the home page is the theme's; what you wrote on it belongs on the page About",
    "_drafts/": "a draft has no place here",
    "_pages/": "pages lie in _pages/ itself here, and no page or document asks for this file",
    "_posts/": "no post, which is called YYYY-MM-DD-name.md, and no post asks for it",
    "_word/": "Word files are not converted; save it as Markdown in _posts/",
}


def _files(root: Path, folder: str):
    """The places of the files below a folder of the blog."""
    for path in sorted((root / folder).rglob("*")):
        if path.is_file() or path.is_symlink():
            yield path.relative_to(root).as_posix()


def take_file(place: str, blog: Blog, target: Target, report: Report) -> None:
    """Copies one file."""
    path = blog.root / place
    try:
        if not blog.owns(path):
            raise ValueError("a link, not a file of the blog")
        if path.stat().st_size > MOST_OF_OTHERS:
            raise ValueError(f"larger than {MOST_OF_OTHERS // MEGABYTE} MB")
        content = read_bytes(path)
    except (OSError, ValueError) as error:
        report.add(NOT_TAKEN, place, reason(error))
        return
    target.put(new_place(place), content, place)


def take_rest(blog: Blog, places: Places, target: Target, report: Report) -> None:
    """Copies the pictures, what lies beside the notebooks, and what documents ask for; names all else."""
    _tell_of_documents(blog, report)
    told = {source.place for source in blog.sources} | blog.problems.keys() | blog.generated.keys() | places.told
    for place in [*_files(blog.root, "images"), *_files(blog.root, "_notebooks"), *places.wanted]:
        if place in told:
            continue
        told.add(place)
        if _is_made(place):
            report.add(LEFT_OUT, place, "fastpages or the system made it")
        elif place.startswith("_notebooks/toolkit/") and place.endswith(".ipynb"):
            report.add(NOT_TAKEN, place, "toolkit/ is a section of its own here, and fastpages did not show it")
        else:
            take_file(place, blog, target, report)
            if place.endswith(".ipynb"):
                report.add(CHANGED, place, "fastpages made no page of it, nor is one made here")
    _tell_of_others(blog, told, report)


def _is_made(place: str) -> bool:
    """Whether fastpages or the system made a file: the reader's help in a folder, or what hides itself."""
    return place in FASTPAGES_README or any(part.startswith(".") for part in place.split("/"))


def _tell_of_documents(blog: Blog, report: Report) -> None:
    """Tells of the documents that can't be read, and of those that fastpages made of others."""
    for place, problem in blog.problems.items():
        report.add(NOT_TAKEN, place, problem)
    for place, notebook in blog.generated.items():
        if notebook:
            report.add(LEFT_OUT, place, f"fastpages made it of {notebook}")
        else:
            report.add(NOT_TAKEN, place, "fastpages made it of a notebook that is not in the blog; bring that back")


def _tell_of_others(blog: Blog, told: set, report: Report) -> None:
    """Tells of every file that nothing has been said of yet; of tools and of fastpages' theme by their folders."""
    tools, theme = [], Counter()
    for path in sorted(blog.root.iterdir()):
        is_hidden_folder = path.is_dir() and path.name.startswith(".")
        if path.name in TOOLS or is_hidden_folder:
            tools.append(path.name)
            continue
        for place in [path.name] if path.is_file() else _files(blog.root, path.name):
            if place in told or place == "_config.yml":
                continue
            if place in THEME_FILES or place.startswith("assets/badges/"):
                theme[path.name] += 1
            elif _is_made(place):
                report.add(LEFT_OUT, place, "fastpages or the system made it")
            else:
                report.add(NOT_TAKEN, place, _why(place))
    for folder, count in theme.items():
        report.add(LEFT_OUT, f"{folder}/", f"files of fastpages' theme: {count}; the site has its own")
    if tools:
        report.add(LEFT_OUT, ", ".join(tools), "what made fastpages work")


def _why(place: str) -> str:
    """Why a file of the blog's owner is not taken."""
    if place in WHY:
        return WHY[place]
    folder = place.split("/")[0]
    if folder in THEME and not (folder == "assets" and Path(place).suffix not in {".js", ".css", ".scss"}):
        return "of your own theme; this site's is another"
    return WHY.get(f"{folder}/", "neither a document nor a picture, and no document asks for it")
