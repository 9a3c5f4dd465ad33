"""The report as HTML, Markdown and JUnit."""

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

from bs4 import BeautifulSoup
from samples import BEFORE, expected, run, write_figure

from book.regress.compare import compare
from book.regress.figures import compare_figures, compare_pictures
from book.regress.pictures import thumbnails
from book.regress.summary import Summary, summarise
from book.regress.writing import as_html, as_junit, as_markdown, write_reports
from gem_lite.report import Record


def summary(root: Path, moved: bool = True, line: bool = True) -> Summary:
    write_figure(root)
    records = dict(BEFORE)
    if moved:
        records["map_gem"] = replace(records["map_gem"], value=20.0)
        records["fresh"] = Record(1.0, how="<b>new</b>")
    now, old = run(records, line=line), expected()
    return summarise(old, now, compare(old, now), compare_figures(root, old, now), root / "last.json")


def test_the_page_stands_alone_and_shows_the_move(tmp_path: Path) -> None:
    page = BeautifulSoup(as_html(summary(tmp_path)), "html.parser")
    assert page.h1 is not None
    assert page.h1.text == "1 of 8 results moved"
    first = page.select(".rows")[0].select(".row:not(.head)")
    assert len(first) == 1
    assert "map_gem" in first[0].text.replace("\u200b", "")
    assert "60 %" in first[0].text
    assert "20 % worse" in first[0].text
    assert "spread over seeds 0, 1, 2" in first[0].text
    assert len(first[0].select("svg .seed")) == 3
    sources = [str(tag.get(key)) for tag in page.find_all(True) for key in ("src", "href") if tag.get(key)]
    assert sources
    assert all(source.startswith("data:") for source in sources)
    assert not page.find_all("script")
    assert "<b>new</b>" not in str(page), "what a chapter says is text"


def test_the_page_of_an_unchanged_run(tmp_path: Path) -> None:
    page = BeautifulSoup(as_html(summary(tmp_path, moved=False, line=False)), "html.parser")
    assert page.h1 is not None
    assert page.h1.text == "Nothing moved"
    assert "All 1 figures are as expected." in page.text


def test_run_times_and_environment_are_set_against_those_before(tmp_path: Path) -> None:
    first = summary(tmp_path)
    assert [(one.now, one.last, one.accepted) for one in first.timings] == [(2.0, None, 1.0)]
    second = summary(tmp_path)
    assert [(one.last, one.executed) for one in second.timings] == [(2.0, False)]
    assert ("torch", "2.14", "2.15") in second.environment


def test_markdown_lists_what_moved_first(tmp_path: Path) -> None:
    text = as_markdown(summary(tmp_path))
    assert text.startswith("# Regression run, profile tiny: 1 of 8 results moved")
    assert "| 01_a | `map_gem` | 60 % | 20 % | 10.0 × |" in text
    assert text.index("## Moved") < text.index("## New") < text.index("## Figures that differ")


def test_junit_fails_for_what_moved_and_skips_what_is_new(tmp_path: Path) -> None:
    suite = as_junit(summary(tmp_path)).getroot()
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("8", "1", "1")
    failed = [case.get("name") for case in suite if case.find("failure") is not None]
    assert failed == ["map_gem"]


def test_all_three_are_written(tmp_path: Path) -> None:
    page = write_reports(summary(tmp_path), tmp_path / "out")
    assert page.read_text(encoding="utf8").startswith("<!doctype html>")
    ElementTree.parse(page.with_name("junit.xml"))
    assert page.with_name("report.md").stat().st_size > 100


def test_a_figure_that_differs_comes_with_its_similarity(tmp_path: Path) -> None:
    (pair,) = summary(tmp_path, line=True).figures
    assert pair.similarity is not None
    assert 0.2 < pair.similarity < 0.99
    assert pair.now is not None
    assert pair.difference is not None
    (same,) = summary(tmp_path, line=False).figures
    assert same.similarity == 1.0


def test_equal_pictures_are_equal_after_compression() -> None:
    from samples import picture

    small = thumbnails([picture()])["fig-a"]
    assert compare_pictures(small, small)[0] == 1.0
