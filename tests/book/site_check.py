"""What can be wrong with built pages without opening them: remote assets, dead links, raw markup."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup

LOADED = (
    ("script", "src"),
    ("img", "src"),
    ("iframe", "src"),
    ("source", "src"),
    ("link", "href"),
    ("video", "src"),
)
RAW_MARKUP = ("{glue", "{ref}", "{numref}", "{eq}", "{doc}", "{cite")
OWN_ADDRESSES = ("data", "mailto", "javascript")


def problems(html: Path) -> list[str]:
    """All problems of the pages below a folder."""
    files = sorted(path for path in html.rglob("*.html") if "_static" not in path.parts)
    pages = {path: BeautifulSoup(path.read_text(encoding="utf8"), "html.parser") for path in files}
    anchors = {path: {tag["id"] for tag in page.find_all(id=True)} for path, page in pages.items()}
    return [
        f"{path.relative_to(html)} {problem}"
        for path, page in pages.items()
        for problem in (*_remote(page), *_dead_links(path, page, anchors), *_raw(page))
    ]


def _remote(page: BeautifulSoup) -> Iterator[str]:
    for tag, attribute in LOADED:
        for element in page.find_all(tag, attrs={attribute: True}):
            address = urlsplit(element[attribute])
            if address.netloc or address.scheme not in ("", *OWN_ADDRESSES):
                yield f"loads {element[attribute]}"


def _dead_links(path: Path, page: BeautifulSoup, anchors: dict[Path, set[str]]) -> Iterator[str]:
    for tag, attribute in (("a", "href"), *LOADED):
        for element in page.find_all(tag, attrs={attribute: True}):
            address = urlsplit(element[attribute])
            if address.scheme or address.netloc:
                continue
            target = (path.parent / unquote(address.path)).resolve() if address.path else path
            if not target.exists():
                yield f"links to {element[attribute]}, which does not exist"
            elif address.fragment and target in anchors and unquote(address.fragment) not in anchors[target]:
                yield f"links to {element[attribute]}, an anchor that does not exist"


def _raw(page: BeautifulSoup) -> Iterator[str]:
    for code in page.find_all(["pre", "script"]):
        code.extract()
    text = page.get_text()
    yield from (f"shows raw markup: {markup}" for markup in RAW_MARKUP if markup in text)
