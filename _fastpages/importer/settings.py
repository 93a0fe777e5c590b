"""Brings over what a fastpages blog says of itself in `_config.yml`: to settings.ini, which names it here."""

import configparser
import io
from pathlib import Path
from urllib.parse import urlsplit

from .blog import Blog, Config
from .report import CHANGED, LEFT_OUT, NOT_TAKEN, Report, Target

# What a value asks for that no site of this theme has, and why.
NO_PLACE = {
    "annotations": "pages load nothing from another host, and annotations are hypothes.is's",
    "google_analytics": "pages load nothing from another host",
    "paginate": "the home page shows all posts",
    "pagination": "the home page shows all posts",
    "twitter_username": "the theme links to no profile; name it on the page About",
    "email": "the theme shows no address; name it on the page About",
    "disqus": "comments are a link to GitHub's discussions",
}
# What each page here has anyway, or what Jekyll and fastpages needed for themselves.
NOT_NEEDED = set(
    "show_description show_image show_tags html_escape future theme remote_theme titles_from_headings highlighter "
    "markdown kramdown feed exclude include use_math plugins default_badges minima paginate_path sass "
    "permalink timezone title description url baseurl github_username github_repo author defaults".split()
)
PLUGINS = set(
    "jekyll-feed jekyll-gist jekyll-octicons jekyll-toc jekyll-twitter-plugin jekyll-relative-links jekyll-seo-tag "
    "jekyll-remote-theme jekyll-paginate jekyll-sitemap jemoji jekyll-github-metadata".split()
)


def as_settings(config: Config) -> dict:
    """The values of settings.ini that the configuration gives."""
    owner = config.text("github_username")
    url = config.text("url") or (f"https://{owner}.github.io" if owner else "")
    host = urlsplit(url if "//" in url else f"https://{url}")
    author = config.values.get("author")
    name = author.get("name") if isinstance(author, dict) else author
    values = {
        "title": config.text("title"),
        "description": config.text("description"),
        "author": str(name or ""),
        "user": owner,
        "repo": config.text("github_repo") or config.baseurl.strip("/"),
        "doc_host": f"{host.scheme}://{host.netloc}" if host.netloc else "",
        "doc_baseurl": config.baseurl,
    }
    return {key: " ".join(value.split()).replace("%", "%%") for key, value in values.items()}


def _ini(values: dict) -> bytes:
    ini = configparser.ConfigParser()
    others = {"branch": "main", "nbs_path": "_notebooks", "lib_path": values["repo"] or "module"}
    ini["DEFAULT"] = values | others | {"author": values["author"] or values["title"]}
    text = io.StringIO()
    ini.write(text)
    return text.getvalue().encode("utf-8", "replace")


def take_config(blog: Blog, target: Target, report: Report) -> None:
    """Writes settings.ini, or tells what to write into the one that is there."""
    place, config = "_config.yml", blog.config
    if not config.values:
        report.add(NOT_TAKEN, place, "not there, or empty: settings.ini needs a title, user and repo")
        return
    values = as_settings(config)
    path = target.root / "settings.ini"
    if not path.is_file() or path.read_bytes() == _ini(values):
        target.put("settings.ini", _ini(values), place)
    else:
        _compare(values, path, report)
    _tell_rest(config, report)


def _compare(values: dict, path: Path, report: Report) -> None:
    """Tells of each value that the settings have otherwise."""
    said = {}
    for interpolation in (None, configparser.BasicInterpolation()):
        ini = configparser.ConfigParser(interpolation=interpolation)
        try:
            ini.read(path, encoding="utf-8")
            said |= {(key, value.replace("%%", "%")): True for key, value in ini["DEFAULT"].items()}
        except (configparser.Error, ValueError) as error:
            report.add(NOT_TAKEN, "_config.yml", f"settings.ini: {error}")
            return
    for key, value in values.items():
        if value and (key, value.replace("%%", "%")) not in said:
            report.add(NOT_TAKEN, "_config.yml", f"settings.ini is there already; write into it: {key} = {value}")


def _tell_rest(config: Config, report: Report) -> None:
    """Tells of every other value that asks for something."""
    for key, value in config.values.items():
        if key in NO_PLACE and value:
            report.add(NOT_TAKEN, "_config.yml", f"{key}: {config.text(key)}: {NO_PLACE[key]}")
        elif key not in NOT_NEEDED and value:
            report.add(NOT_TAKEN, "_config.yml", f"{key}: no such setting here")
    for name, account in _table(_table(config.values, "minima"), "social_links").items():
        if isinstance(account, str):
            report.add(NOT_TAKEN, "_config.yml", f"minima.social_links: {name}: {account}: name it on the page About")
    for key in config.hidden_badges:
        report.add(CHANGED, "_config.yml", f"default_badges: each notebook says {key}: true instead")
    plugins = config.values.get("plugins")
    for name in plugins if isinstance(plugins, list) else []:
        if str(name) not in PLUGINS:
            report.add(NOT_TAKEN, "_config.yml", f"plugins: {name}: what it does is not done here")
    if config.values.get("use_math") is not True:
        report.add(CHANGED, "_config.yml", "use_math: not set; documents with dollars get use_math: false")
    report.add(LEFT_OUT, "_config.yml", "what Jekyll and fastpages needed for themselves")


def _table(values: dict, key: str) -> dict:
    found = values.get(key)
    return found if isinstance(found, dict) else {}
