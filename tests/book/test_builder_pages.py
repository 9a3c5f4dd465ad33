"""The pages of a small book: rendered strictly, and complete without a network."""

import re
from pathlib import Path

import pytest
from minibook import MiniBook
from site_check import problems

pytestmark = pytest.mark.slow

REPORT = "from gem_lite.report import report\nreport('half', 0.5, unit='%', how='by hand')"
TEXT = "## Result\n\nIt is {glue:text}`half:.2f`, for $x^2$.\n\n$$ y = x^2 $$ (eq-y)"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> MiniBook:
    """A small book with one chapter and one plain page, built."""
    mini = MiniBook(tmp_path_factory.mktemp("book"))
    mini.page("intro", "# Intro\n\nElsewhere {glue:text}`01_a.ipynb::half:.3f`, see {eq}`eq-y`.")
    mini.chapter("01_a", REPORT, TEXT, "from ipywidgets import IntSlider\nIntSlider()")
    result = mini.build()
    assert result.returncode == 0, result.stdout + result.stderr
    assert str(mini.root / "_build" / "html" / "intro.html") in result.stdout
    return mini


def html(mini: MiniBook, page: str) -> str:
    return (mini.root / "_build" / "html" / f"{page}.html").read_text()


def test_results_are_pasted_on_both_pages(built: MiniBook) -> None:
    assert ">0.50<" in html(built, "01_a")
    assert ">0.500<" in html(built, "intro")


def test_what_papermill_injected_is_not_shown(built: MiniBook) -> None:
    text = re.sub(r"<[^>]+>", "", html(built, "01_a"))
    assert text.count("profile =") == 1


def test_nothing_comes_from_another_host(built: MiniBook) -> None:
    assert problems(built.root / "_build" / "html") == []
    for page in ("intro", "01_a"):
        assert not re.search("thebe|require\\.js|html-manager|unpkg|jsdelivr", html(built, page))


def test_mathjax_is_shipped_without_what_is_not_used(built: MiniBook) -> None:
    folder = built.root / "_build" / "html" / "_static" / "mathjax"
    assert (folder / "tex-chtml.js").is_file()
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    assert size < 2.5e6


def test_an_unchanged_book_is_not_rendered_again(built: MiniBook) -> None:
    page = built.root / "_build" / "html" / "intro.html"
    before = page.stat().st_mtime_ns
    result = built.build()
    assert result.returncode == 0
    assert "unchanged" in result.stdout
    assert page.stat().st_mtime_ns == before


def test_a_bad_page_stops_the_build_and_keeps_the_last_good_book(built: MiniBook) -> None:
    good = html(built, "intro")
    page = built.book / "intro.md"
    text = page.read_text()
    try:
        page.write_text(text + "\n\n{glue:text}`01_a.ipynb::third:.1f` and {ref}`nowhere`.")
        result = built.build()
    finally:
        page.write_text(text)
    assert result.returncode == 1
    assert "intro.md" in result.stderr
    assert "'third'" in result.stderr
    assert "nowhere" in result.stderr
    assert html(built, "intro") == good


def test_a_complaint_names_the_author_s_cell(built: MiniBook) -> None:
    path = built.book / "01_a.ipynb"
    text = path.read_text()
    try:
        path.write_text(text.replace("$$ y = x^2 $$ (eq-y)", "{ref}`missing` $$ y = x^2 $$ (eq-y)"))
        result = built.build()
    finally:
        path.write_text(text)
    assert result.returncode == 1
    assert "01_a.ipynb, cell 4, line" in result.stderr


def test_problems_of_a_site_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<script src="https://cdn.example/x.js"></script><a href="b.html">b</a><a href="#there">c</a>'
        '<a href="https://paper.example/">fine</a><p id="here">{glue:text}`x`</p>'
    )
    found = problems(tmp_path)
    assert found == [
        "a.html loads https://cdn.example/x.js",
        "a.html links to b.html, which does not exist",
        "a.html links to #there, an anchor that does not exist",
        "a.html shows raw markup: {glue",
    ]
