"""The pages of the real book, as `make book` has just built them."""

import os
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from site_check import problems

from book.builder.chapters import pages

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.book


@pytest.fixture(scope="module")
def html() -> Path:
    """Folder of the built book."""
    folder = ROOT / "_build" / "html"
    if not (folder / "index.html").is_file():
        stop = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        stop(f"no built book in {folder}: run make book")
    return folder


def test_nothing_is_missing_or_comes_from_another_host(html: Path) -> None:
    found = problems(html)
    assert not found, "\n".join(found)


def test_every_page_of_the_table_of_contents_is_there(html: Path) -> None:
    names = [page.stem for page in pages(ROOT / "book" / "_toc.yml")]
    assert [name for name in names if not (html / f"{name}.html").is_file()] == []


def test_every_picture_has_an_alternative_text(html: Path) -> None:
    for page in pages(ROOT / "book" / "_toc.yml"):
        soup = BeautifulSoup((html / f"{page.stem}.html").read_text(encoding="utf8"), "html.parser")
        for picture in soup.select("article img"):
            alt = str(picture.get("alt", "_images"))  # where none is given Sphinx writes the file's name
            assert not alt.startswith(("_images", "data:")), f"{page.stem}: {str(picture)[:200]}"
            assert alt.strip(), f"{page.stem}: {str(picture)[:200]}"


def test_every_figure_leads_to_its_own_file(html: Path) -> None:
    for page in pages(ROOT / "book" / "_toc.yml"):
        soup = BeautifulSoup((html / f"{page.stem}.html").read_text(encoding="utf8"), "html.parser")
        for picture in soup.select("article figure img"):
            link = picture.find_parent("a", class_="enlarge")
            assert link, f"{page.stem}: {str(picture)[:200]}"
            assert link["href"] == picture["src"]
            assert (html / link["href"]).is_file()
            assert link.select_one(".enlarge-sign").get_text().startswith("Enlarge Fig. ")
