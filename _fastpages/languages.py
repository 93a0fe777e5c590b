"""Which pages say the same in another language."""

from .documents import Document
from .site import Site


def _entry(document: Document, site: Site) -> dict:
    """A page as the theme links to it: its address, what its language is called, and its code where it is not the
    site's own.
    """
    language = document.front.values.get("lang")
    words = site.in_language(language).words
    entry = {"url": document.permalink, "name": words["language"]}
    return entry | ({"lang": language} if language else {})


def alternates(documents: list, site: Site) -> dict:
    """{name: the pages that say the same, the document's own among them} of each that is translated.

    A front matter names the original: `translation_of: 2026-03-04-a_post.md`. Where there is none of that name, the
    document gets a warning.
    """
    by_name = {document.name: document for document in documents}
    groups = {}
    for document in documents:
        original = document.front.values.get("translation_of")
        if original in by_name:
            groups.setdefault(original, [by_name[original]]).append(document)
        elif original:
            document.front.warnings.append(f"translation_of: there is no {original}; name a document of this site")
    return {
        document.name: [_entry(member, site) for member in group] for group in groups.values() for document in group
    }
