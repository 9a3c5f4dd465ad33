"""``python -m book.regress``: exit codes, and what it says, on a book of one chapter."""

import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import Any

import nbformat
import pytest
from minibook import ROOT, MiniBook
from nbformat.v4 import new_code_cell, new_notebook, new_output

from book.builder import executed
from book.builder.chapters import Chapter, execution_key
from book.builder.paths import Paths
from book.regress.__main__ import main
from book.regress.expected import read_expected
from gem_lite.report import GLUE_KEY, RECORD_KEY, Record


@pytest.fixture
def mini(tmp_path: Path) -> MiniBook:
    """A book whose only chapter, 01_a, uses a trained network."""
    book = MiniBook(tmp_path)
    book.chapter("01_a", "print(1)", needs=["pretrain"])
    return book


def executes_to(mini: MiniBook, value: Any, seed: int = 0) -> None:
    """Put an executed copy in its place that reports one result."""
    record = Record(value, "%", True, "test")
    metadata = {GLUE_KEY: {"name": "map"}, RECORD_KEY: asdict(record)}
    output = new_output("display_data", data={"text/plain": str(value)}, metadata=metadata)
    made = mini.root / "made.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("report", outputs=[output])]), made)
    chapter = Chapter(mini.book / "01_a.ipynb")
    parameters = {"profile": "tiny", "seed": seed}
    folder = f"tiny-seed{seed}" if seed else ""
    key = execution_key(chapter, parameters, mini.root)
    executed.keep(Paths(mini.root, "tiny", folder), "01_a", key, made, parameters, 1.0)


def regress(mini: MiniBook, command: str, *more: str) -> int:
    return main(["--root", str(mini.root), command, "--profile", "tiny", "--no-run", *more])


def test_what_moved_is_exit_code_one(mini: MiniBook, capsys: pytest.CaptureFixture[str]) -> None:
    executes_to(mini, 60.0)
    assert regress(mini, "compare") == 0
    assert "Nothing is expected yet" in capsys.readouterr().out
    assert regress(mini, "accept", "--reason", "the first results") == 0
    assert regress(mini, "compare") == 0
    assert "Nothing moved" in capsys.readouterr().out
    executes_to(mini, 50.0)
    assert regress(mini, "compare") == 1
    said = capsys.readouterr().out
    assert "1 of 1 results moved" in said
    assert "01_a map: 60 % -> 50 %" in said
    assert (mini.root / "_build" / "regress" / "tiny" / "report.html").is_file()


def test_other_seeds_give_the_spread_while_they_are_current(mini: MiniBook) -> None:
    for seed, value in enumerate((60.0, 61.0, 62.0)):
        executes_to(mini, value, seed)
    assert regress(mini, "accept", "--reason", "with its seeds") == 0
    one = read_expected(mini.root, "tiny").results["01_a"]["map"]
    assert (one.tolerance, one.spread) == ([4.0], [1.0])
    mini.chapter("01_a", "print(2)", needs=["pretrain"])  # the other seeds' copies are stale now
    executes_to(mini, 70.0)
    assert regress(mini, "accept", "--reason", "another source") == 0
    later = read_expected(mini.root, "tiny").results["01_a"]["map"]
    assert (later.value, later.tolerance, later.spread) == (70.0, [4.0], [1.0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("compare",), "01_a was not executed"),
        (("accept", "--reason", "no"), "01_a was not executed"),
        (("compare", "--only", "1_a"), "no chapter 1_a; known: 01_a"),
    ],
)
def test_what_could_not_be_compared_is_exit_code_two(
    mini: MiniBook, arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert regress(mini, *arguments) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("target", "command"),
    [
        ("regress", "book.regress compare --profile tiny --only 01_a"),
        ("regress-seeds", "book.regress seeds --profile tiny --seeds 0 1 2"),
        ("regress-accept", 'book.regress accept --profile tiny --reason "$REASON"'),
        ("reproducibility", "book.regress reproducibility"),
    ],
)
def test_the_make_targets_call_it(target: str, command: str) -> None:
    made = subprocess.run(
        ["make", "-n", target, "PROFILE=tiny", "ARGS=--only 01_a"], cwd=ROOT, capture_output=True, text=True
    )
    assert command in made.stdout


def test_accepting_without_a_reason_changes_nothing(
    mini: MiniBook, capsys: pytest.CaptureFixture[str]
) -> None:
    executes_to(mini, 60.0)
    assert regress(mini, "accept", "--reason", "") == 2
    assert "say why the expectations change" in capsys.readouterr().err
    assert not (mini.root / "tests").exists()
