"""All pages of the built book as one HTML document for print: every link between them leads on inside it."""

import copy
import html as escape
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bs4 import BeautifulSoup, Tag

# What is of no use on paper: what unfolds, what is clicked, what is drawn by a script.
NOT_PRINTED = "script, a.headerlink, .prev-next-footer, button, details.hide.above-input, .enlarge-sign"
HEADINGS = ("h1", "h2", "h3", "h4", "h5")
REFERRING = ("for", "aria-labelledby", "aria-describedby")


@dataclass(frozen=True)
class Part:
    """A caption of the table of contents ("" for what stands before the first) and its pages' names."""

    caption: str
    pages: Sequence[str]


def one_page(html: Path, parts: Sequence[Part], title: str, subtitle: str, assets: str) -> str:
    """The document.

    Args:
        html: folder of the built book.
        parts: what is printed, in order.
        title, subtitle: on the first page.
        assets: address of `html` as seen from where the document is written, for example ``"../html"``.
    """
    names = [name for part in parts for name in part.pages]
    soups = {name: BeautifulSoup((html / f"{name}.html").read_text("utf8"), "html.parser") for name in names}
    chapters = {name: _chapter(name, soups[name], names, assets) for name in names}
    body = [f'<section class="print-title"><p class="title">{title}</p><p>{subtitle}</p></section>']
    body.append(_contents(parts, chapters))
    for part in parts:
        if part.caption:
            body.append(f'<h1 class="print-part">{escape.escape(part.caption)}</h1>')
        body += [str(chapters[name]) for name in part.pages]
    head = _head(soups.values(), assets)
    return (
        f'<!doctype html><html lang="en" data-theme="light" data-mode="light"><head><meta charset="utf-8">'
        f"<title>{escape.escape(title)}</title>{head}</head>"
        f'<body class="print-book"><main class="bd-content bd-article">{"".join(body)}</main></body></html>'
    )


def _head(soups: Iterable[BeautifulSoup], assets: str) -> str:
    """Style sheets and MathJax of the pages; no other script."""
    found: dict[str, Tag] = {}
    for soup in soups:
        for tag in soup.select('link[rel="stylesheet"], style, script'):
            if tag.name != "script" or "mathjax" in str(tag).lower():
                _point(tag, "href", assets)
                _point(tag, "src", assets)
                found.setdefault(str(tag), tag)
    return "".join(found)


def _chapter(name: str, soup: BeautifulSoup, names: Sequence[str], assets: str) -> Tag:
    """A page's article, its names made unique in the whole and its headings one level down."""
    article = copy.copy(soup.select_one("article"))
    if article is None:
        raise ValueError(f"{name}.html has no article")
    for tag in article.select(NOT_PRINTED):
        tag.decompose()
    for tag in article.select("a.enlarge"):
        tag.unwrap()  # its file is not in the PDF
    for tag in article.find_all("noscript"):
        tag.unwrap()  # no script runs on paper
    for tag in article.find_all("details"):
        tag["open"] = ""
    for tag in article.find_all(True):
        if tag.get("id"):
            tag["id"] = f"{name}--{tag['id']}"
        for attribute in REFERRING:
            if tag.get(attribute):
                tag[attribute] = " ".join(f"{name}--{word}" for word in str(tag[attribute]).split())
        if tag.name == "a" and tag.get("href"):
            tag["href"] = _inside(str(tag["href"]), name, names, assets)
        _point(tag, "src", assets)
        if tag.name in HEADINGS:
            tag.name = f"h{int(tag.name[1]) + 1}"
    article.name = "section"
    article["id"], article["class"] = name, "print-chapter"
    return article


def _point(tag: Tag, attribute: str, assets: str) -> None:
    """A file of the book, as seen from the new place."""
    address = str(tag.get(attribute) or "")
    if tag.name != "a" and address and not urlsplit(address).scheme and not address.startswith(assets):
        tag[attribute] = f"{assets}/{address}"


def _inside(address: str, name: str, names: Sequence[str], assets: str) -> str:
    """A link to a page or a place of the book, as a link inside the document."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return address
    page = parts.path.removesuffix(".html") if parts.path else name
    if page not in names:
        return f"{assets}/{address}"
    return f"#{page}--{parts.fragment}" if parts.fragment else f"#{page}"


def _contents(parts: Sequence[Part], chapters: dict[str, Tag]) -> str:
    """The table of contents, with a place for each page number (see `pdf`)."""
    return (
        f'<nav class="print-contents"><p class="title">Contents</p>{"".join(_lines(parts, chapters))}</nav>'
    )


def _lines(parts: Sequence[Part], chapters: dict[str, Tag]) -> Iterator[str]:
    for part in parts:
        if part.caption:
            yield f"<p>{escape.escape(part.caption)}</p>"
        for name in part.pages:
            yield (
                f'<a href="#{name}"><span>{escape.escape(heading(chapters[name]))}</span>'
                f'<span data-page="{name}"></span></a>'
            )


def heading(chapter: Tag) -> str:
    """Title of a chapter, with its number."""
    title = chapter.find("h2")
    return " ".join(title.get_text(" ", strip=True).split()) if title else str(chapter["id"])
