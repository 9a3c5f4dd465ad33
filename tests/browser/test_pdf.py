"""A part of the built book as a PDF file: text, pictures, bookmarks, and links that lead to their place."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from pypdf import PdfReader

from book.builder import pdf
from book.builder.errors import BuildError
from book.builder.one_page import Part

pytestmark = [pytest.mark.browser, pytest.mark.book, pytest.mark.slow]
CONTENTS = [Part("", ["intro"]), Part("The method", ["notation", "03_pooling"])]


@dataclass
class Printed:
    reader: PdfReader
    texts: list[str]
    count: int

    def page_with(self, text: str, start: int = 0) -> int:
        """Number of the first page from `start` that holds this text, from 1."""
        return next(i for i, page in enumerate(self.texts, 1) if i >= start and text in page)


@pytest.fixture(scope="module")
def printed(built_book: Path, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Printed:
    out = tmp_path_factory.mktemp("pdf") / "part.pdf"
    count = pdf.write_pdf(built_book, CONTENTS, out, "GeM-lite", browser)
    reader = PdfReader(out)
    texts = [unicodedata.normalize("NFKC", page.extract_text()) for page in reader.pages]
    return Printed(reader, [" ".join(text.split()) for text in texts], count)


def test_it_has_pages_and_a_title(printed: Printed) -> None:
    assert printed.count == len(printed.reader.pages)
    assert 12 <= printed.count <= 60
    assert printed.reader.metadata is not None
    assert printed.reader.metadata.title == "GeM-lite"


def test_bookmarks_follow_parts_chapters_and_sections(printed: Printed) -> None:
    marks = {title: (depth, page) for depth, title, page in reversed(pdf.bookmarks(printed.reader))}
    part, _ = marks["The method"]
    chapter, page = next(value for title, value in marks.items() if title.endswith("Pooling"))
    section, later = next(value for title, value in marks.items() if title.endswith("Departures"))
    assert (chapter, section) == (part + 1, part + 2)
    assert page == printed.page_with("After this chapter you can")
    assert page < later <= printed.count


def test_contents_give_the_page_of_each_chapter(printed: Printed) -> None:
    contents = printed.texts[printed.page_with("Contents") - 1]
    number = printed.page_with("After this chapter you can")
    assert f"Pooling {number}" in contents
    assert f"Notation and conventions {printed.page_with('Rows, not columns')}" in contents


def test_text_and_formulas_are_typeset(printed: Printed) -> None:
    text = " ".join(printed.texts)
    for said in ("find the same place again", "Which number should stand for a whole map?", "def mac("):
        assert said in text
    for raw in ("\\frac", "\\mathcal", "{glue", "Show code cell"):
        assert raw not in text
    fonts = {name for page in printed.reader.pages for name in fonts_of(page)}
    assert any("MathJax" in name for name in fonts), fonts


def fonts_of(page: Any) -> Iterator[str]:
    """Names of the fonts of a page; those of formulas are drawn by the file itself (Type 3)."""
    for reference in page["/Resources"].get("/Font", {}).values():
        font = reference.get_object()
        yield str(font.get("/BaseFont") or font["/FontDescriptor"]["/FontName"])


def test_pictures_are_in_it(printed: Printed) -> None:
    drawn = [
        part for page in printed.reader.pages for part in page["/Resources"].get("/XObject", {}).values()
    ]
    assert sum(part.get_object()["/Subtype"] == "/Image" for part in drawn) >= 3


def test_cross_references_lead_to_pages(printed: Printed) -> None:
    places = {name.lstrip("/") for name in printed.reader.named_destinations}
    inside = [name for page in printed.reader.pages for name in targets(page)]
    assert len(inside) > 20
    assert [name for name in inside if name not in places] == []


def targets(page: Any) -> list[str]:
    """Names of the places that the links of a page lead to."""
    links = [each.get_object() for each in page.get("/Annots", [])]
    return [str(link["/Dest"]).lstrip("/") for link in links if "/Dest" in link]


def test_a_page_that_was_not_built_is_named(tmp_path: Path, built_book: Path) -> None:
    with pytest.raises(BuildError, match="no built page for 99_missing"):
        pdf.write_pdf(built_book, [Part("", ["99_missing"])], tmp_path / "x.pdf", "T")
    assert list(tmp_path.iterdir()) == []


def test_without_a_browser_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(BuildError, match="install the package `chromium`"):
        pdf.chromium.executable()
