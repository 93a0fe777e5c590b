"""The command line: `python -m _fastpages [--notebooks _notebooks] [--out .]`, and `… import FOLDER`."""
import argparse
import sys
from pathlib import Path

from .api import publish_api
from .cards import publish_cards
from .demo import publish_demo
from .errors import NotebookError, reason
from .licences import publish_licences
from .maths import publish_style
from .posts import Report, publish
from .site import read_settings, write_site_config
from .versions import publish_versions


def _arguments(argv) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m _fastpages",
        description="Convert notebooks and written posts to Jekyll posts.",
        epilog="Exit status: 0 all is published, 1 some documents could not be converted, 2 nothing was done. "
        "Another command, `python -m _fastpages import FOLDER`, brings an existing fastpages blog over.",
    )
    parser.add_argument("--notebooks", type=Path, default=Path("_notebooks"), help="folder of NN_name.ipynb")
    parser.add_argument(
        "--out", type=Path, default=Path("."), help="the site's folder: gets _posts/, images/, _settings.yml"
    )
    parser.add_argument(
        "--settings", type=Path, default=Path("settings.ini"), help="where owner and repository are named"
    )
    parser.add_argument("--baseurl", help="path of the site on its host, instead of the one in the settings")
    return parser.parse_args(argv)


def _import_arguments(argv) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m _fastpages import",
        description="""Brings an existing fastpages blog over, into this project's layout: notebooks, posts, pages,
pictures, settings. Tells in a line each what was taken, what was changed, and what was
not taken and why. Overwrites nothing; a second run changes nothing.""",
        epilog="""examples:
  python -m _fastpages import ~/my-blog --dry-run      what would become of each file
  python -m _fastpages import ~/my-blog                into this folder
  python -m _fastpages import ~/my-blog --to ../blog   into another

Exit status: 0 all was taken, 1 something was not, 2 nothing was done.""",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="the blog, with _notebooks/ or _posts/ in it")
    parser.add_argument("--to", type=Path, default=Path("."), metavar="FOLDER", help="where it goes (default: here)")
    parser.add_argument("--dry-run", action="store_true", help="write nothing, only tell")
    return parser.parse_args(argv)


def build(notebooks: Path, out: Path, settings: Path, baseurl: str | None) -> Report:
    """Writes all that Jekyll is to make the site of."""
    site = read_settings(settings, baseurl=baseurl)
    publish_versions(out)
    publish_licences(out)
    publish_demo(out)
    report = publish(notebooks, out, site)
    publish_api(settings.parent / site.lib_path, out, site)
    write_site_config(site, out / "_settings.yml")
    publish_style(out)
    publish_cards(out, site, anew=bool(report.converted))
    return report


def tell(report: Report) -> None:
    """What was done, and on stderr what could not be."""
    for warning in report.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    for name in report.converted:
        print(f"converted {name}")
    counts = f"{len(report.converted)} converted, {len(report.unchanged)} unchanged, {len(report.removed)} removed"
    print(f"{counts}, {len(report.problems)} could not be converted" if report.problems else counts)
    for problem in report.problems.values():
        print(problem, file=sys.stderr)


def bring_in(folder: Path, to: Path, dry_run: bool) -> int:
    """Imports a blog, tells what became of it, and gives the exit status."""
    from .importer import NOT_TAKEN, NotABlog, bring  # seldom needed

    try:
        report = bring(folder, to, dry_run)
    except (NotABlog, NotebookError) as error:  # the latter of the folder that it goes to
        print(error, file=sys.stderr)
        return 2
    except OSError as error:  # of a folder that cannot be read
        print(reason(error), file=sys.stderr)
        return 2
    print(report.text())
    return 1 if report.count(NOT_TAKEN) else 0


def main(argv=None) -> int:
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] == ["import"]:
        return bring_in(**vars(_import_arguments(argv[1:])))
    args = _arguments(argv)
    try:
        report = build(args.notebooks, args.out, args.settings, args.baseurl)
    except NotebookError as error:
        print(error, file=sys.stderr)
        return 2
    except (OSError, ValueError) as error:  # of the site's own files, not of a document
        print(reason(error), file=sys.stderr)
        return 2
    tell(report)
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main())
