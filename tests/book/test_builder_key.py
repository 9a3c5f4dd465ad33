"""The key of an execution: what changes it, and what does not."""

import os
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from minibook import ROOT, MiniBook

from book.builder import chapters
from book.builder.chapters import Chapter, execution_key, pages
from book.builder.errors import BuildError
from gem_lite import cache


@pytest.fixture
def key(mini: MiniBook, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Key of the chapter 01_a, with these parameters beside its own."""
    mini.module("pale", "SHADE = 1\n")
    mini.module("colours", "from figures.pale import SHADE\n")
    mini.module("other", "x = 1\n")
    parameters = 'profile = "tiny"\nseed = 0\nphotos_dir = ""'
    mini.chapter("01_a", "%matplotlib inline\nfrom figures.colours import SHADE", parameters=parameters)

    def module_file(name: str) -> Path | None:
        """Modules of the small book; pytest itself has imported this checkout's package of the same name."""
        file = mini.root / (name.replace(".", "/") + ".py")
        return file if file.is_file() else None

    def compute(**given: object) -> str:
        monkeypatch.setattr(cache, "_module_file", module_file)
        cache.source_hash.cache_clear()
        chapter = Chapter(mini.book / "01_a.ipynb")
        return execution_key(chapter, {**chapter.parameters, **given}, mini.root)

    yield compute
    cache.source_hash.cache_clear()


def test_it_is_repeatable(key: Callable[..., str]) -> None:
    assert key() == key()


def test_a_time_stamp_decides_nothing(key: Callable[..., str], mini: MiniBook) -> None:
    before = key()
    for path in mini.root.rglob("*"):
        os.utime(path, (0, 0))
    assert key() == before


def test_outputs_decide_nothing(key: Callable[..., str], mini: MiniBook) -> None:
    before = key()
    path = mini.book / "01_a.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[-1].execution_count = 5
    notebook.cells[-1].outputs = [nbformat.v4.new_output("stream", text="hello")]
    nbformat.write(notebook, path)
    assert key() == before


@pytest.mark.parametrize("module", ["colours", "pale"])
def test_an_imported_module_changes_it(module: str, key: Callable[..., str], mini: MiniBook) -> None:
    before = key()
    path = mini.root / "figures" / f"{module}.py"
    path.write_text(path.read_text() + "y = 2\n")
    assert key() != before


def test_a_module_that_is_not_imported_changes_nothing(key: Callable[..., str], mini: MiniBook) -> None:
    before = key()
    mini.module("other", "x = 2\n")
    assert key() == before


def test_a_text_cell_changes_it(key: Callable[..., str], mini: MiniBook) -> None:
    before = key()
    path = mini.book / "01_a.ipynb"
    path.write_text(path.read_text().replace("# Chapter 01_a", "# Chapter one"))
    assert key() != before


def test_parameters_and_lock_change_it(key: Callable[..., str], mini: MiniBook) -> None:
    before = key()
    assert key(seed=1) != before
    (mini.root / "requirements.lock").write_text("numpy==3.0\n")
    assert key() != before


def test_the_content_of_a_folder_changes_it(key: Callable[..., str], mini: MiniBook) -> None:
    folder = mini.root / "photos"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(b"one")
    before = key(photos_dir="../photos")
    (folder / "a.jpg").write_bytes(b"two")
    changed = key(photos_dir="../photos")
    (folder / "a.jpg").rename(folder / "b.jpg")
    assert len({before, changed, key(photos_dir="../photos")}) == 3


def test_code_that_is_not_python_is_named(mini: MiniBook) -> None:
    mini.chapter("01_a", "def f(:")
    with pytest.raises(BuildError, match=r"01_a\.ipynb.*def f"):
        Chapter(mini.book / "01_a.ipynb").imports()


def test_a_chapter_needs_one_parameters_cell(mini: MiniBook) -> None:
    mini.chapter("01_a", parameters="seed = 0")
    path = mini.book / "01_a.ipynb"
    path.write_text(path.read_text().replace('"parameters"', '"other"'))
    with pytest.raises(BuildError, match="0 cells tagged 'parameters'"):
        _ = Chapter(path).parameters


def test_pages_come_in_the_order_of_the_table_of_contents(mini: MiniBook) -> None:
    for name in ("02_b", "01_a"):
        mini.chapter(name)
    assert [path.name for path in pages(mini.book / "_toc.yml")] == ["intro.md", "02_b.ipynb", "01_a.ipynb"]


def test_parts_are_followed(tmp_path: Path) -> None:
    part = "- caption: A\n  chapters:\n  - file: a\n    sections:\n    - file: b\n"
    (tmp_path / "_toc.yml").write_text(f"root: intro\nparts:\n{part}- chapters:\n  - file: c\n")
    for name in ("intro", "a", "b", "c"):
        (tmp_path / f"{name}.md").touch()
    assert [path.stem for path in pages(tmp_path / "_toc.yml")] == ["intro", "a", "b", "c"]


def test_a_missing_page_is_named(mini: MiniBook) -> None:
    mini.chapter("01_a")
    (mini.book / "01_a.ipynb").unlink()
    with pytest.raises(BuildError, match="lists '01_a', but there is no"):
        pages(mini.book / "_toc.yml")


def test_a_page_listed_twice_is_named(mini: MiniBook) -> None:
    mini.chapter("01_a")
    toc = mini.book / "_toc.yml"
    toc.write_text(toc.read_text() + "- file: 01_a\n")
    with pytest.raises(BuildError, match="lists '01_a' twice"):
        pages(toc)


def test_the_real_lock_is_where_the_key_looks_for_it() -> None:
    assert (ROOT / chapters.LOCK).is_file()
