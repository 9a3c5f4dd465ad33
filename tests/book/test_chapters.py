"""Every chapter keeps its form, in the repository and as it was executed."""

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import chapter_form
import executed_form
import nbformat
import pytest
from chapter_form import CHAPTERS, EVERY_NOTEBOOK
from executed_form import reported_names
from prose import glued, titled_admonitions

from book.builder.chapters import pages

BOOK = Path(__file__).resolve().parents[2] / "book"
NOTEBOOKS = sorted(BOOK.glob("*.ipynb"))
PAGES = [*NOTEBOOKS, *sorted(BOOK.glob("*.md"))]
# What `make test` has just built; notebooks of other profiles may be of older chapters.
EXECUTED = BOOK.parent / "_build" / "executed" / os.environ.get("PROFILE", "lite")


def named(path: Path) -> str:
    return path.stem


def is_chapter(path: Path) -> bool:
    """Chapters and appendices; front pages have no exercises."""
    return re.match(r"(\d\d|[a-z])_", path.stem) is not None


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def prose_of(path: Path) -> str:
    if path.suffix == ".md":
        return path.read_text(encoding="utf8")
    return "\n\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")


def test_there_are_chapters() -> None:
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=named)
def test_form(path: Path) -> None:
    rules = EVERY_NOTEBOOK + (CHAPTERS if is_chapter(path) else ())
    found = chapter_form.problems(read(path), rules)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", [path for path in NOTEBOOKS if is_chapter(path)], ids=named)
def test_label_is_the_file_name(path: Path) -> None:
    name = path.stem.partition("_")[2].replace("_", "-")
    assert read(path).cells[0].source.startswith(f"(ch-{name})=\n")


def test_every_page_is_in_the_table_of_contents() -> None:
    assert sorted(pages(BOOK / "_toc.yml")) == sorted(PAGES)


@pytest.mark.parametrize("tool", [["check"], ["format", "--check"]], ids=["lint", "format"])
def test_code_is_clean(tool: list[str]) -> None:
    command = [sys.executable, "-m", "ruff", *tool, *map(str, NOTEBOOKS)]
    result = subprocess.run(command, cwd=BOOK.parent, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


@cache
def names_of(notebook: Path) -> list[str]:
    """Patterns of what a notebook reports; kept, since a page pastes hundreds of results."""
    return list(reported_names(read(notebook)))


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_pasted_results_are_reported(path: Path) -> None:
    for page, key in glued(prose_of(path)):
        notebook = path if page is None else BOOK / f"{page}.ipynb"
        assert notebook.suffix == ".ipynb", (
            f"{key}: a plain page must name the notebook: {{glue:text}}`page.ipynb::{key}`"
        )
        assert notebook.is_file(), f"{key}: there is no {notebook.name}"
        assert any(re.fullmatch(name, key) for name in names_of(notebook)), (
            f"{notebook.name} does not report {key!r}"
        )


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_admonitions_with_a_title_are_general_ones(path: Path) -> None:
    found = titled_admonitions(prose_of(path))
    assert found == [], "write :::{admonition} Title, and below it :class: important (or note, danger ...)"


@pytest.mark.book
@pytest.mark.parametrize("path", NOTEBOOKS, ids=named)
def test_form_of_the_executed_chapter(path: Path) -> None:
    if not EXECUTED.is_dir():
        pytest.skip(f"no executed chapters in {EXECUTED}: run make book")
    found = executed_form.problems(read(EXECUTED / path.name))
    assert not found, "\n".join(found)
