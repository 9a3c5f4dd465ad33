"""Runs of a small book's chapter: they keep away from the book, go on after a kill, and survive a failure."""

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from minibook import ROOT, MiniBook

from book.builder import interrupts
from book.runs.__main__ import main

DEADLINE = 600.0  # a busy machine is no defect
CELL = """
import pathlib, time
from gem_lite.report import report
with open("../ran.txt", "a") as file:
    file.write(f"{p:g} ")
while p == 2 and not pathlib.Path("../go").exists():
    time.sleep(0.1)
if p == 4:
    raise ValueError("four is too many")
report("doubled", 2 * p, unit="%", how="by hand")
"""


@pytest.fixture
def book(mini: MiniBook) -> MiniBook:
    mini.chapter("01_a", CELL, parameters='profile = "tiny"\nseed = 0\np = 3.0')
    return mini


def command(book: MiniBook, *arguments: str) -> subprocess.Popen[str]:
    line = [sys.executable, "-m", "book.runs", *arguments, "--profile", "tiny", "--root", str(book.root)]
    environment = {**book.environment, "PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    return subprocess.Popen(line, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, text=True)


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


def ran(book: MiniBook) -> str:
    file = book.root / "ran.txt"
    return file.read_text().strip() if file.is_file() else ""


@pytest.mark.slow
def test_a_killed_sweep_leaves_nothing_running_and_goes_on_where_it_was(book: MiniBook) -> None:
    folder = book.root / "_build" / "runs" / "01_a"
    first = command(book, "sweep", "01_a", "p=1,2", "--jobs", "1")
    wait_for(lambda: ran(book) == "1 2" or first.poll() is not None)
    family = psutil.Process(first.pid).children(recursive=True)
    assert family
    os.kill(first.pid, signal.SIGKILL)
    first.communicate(timeout=DEADLINE)
    assert psutil.wait_procs(family, timeout=30)[1] == [], "no process outlives the sweep"
    assert (folder / "tiny_seed=0_p=1" / "01_a.ipynb").is_file()
    assert not (folder / "tiny_seed=0_p=2").exists()

    (book.root / "go").touch()
    second = command(book, "sweep", "01_a", "p=1,2,4", "--jobs", "1")
    output, errors = second.communicate(timeout=DEADLINE)
    assert ran(book) == "1 2 2 4", "what had finished is not run again"
    assert second.returncode == 1
    assert "2 to do, 1 done before" in output
    assert "four is too many" in errors
    assert "1 of 3 runs failed; the others are kept." in errors
    assert (folder / "tiny_seed=0_p=4" / "failed" / "01_a.ipynb").is_file()

    made = folder / "sweeps" / "tiny_p=1,2,4"
    assert sorted(path.name for path in made.iterdir()) == [
        "sweep.csv",
        "sweep.md",
        "sweep.png",
        "sweep.svg",
    ]
    rows = list(csv.DictReader((made / "sweep.csv").open()))
    assert [row["doubled"] for row in rows] == ["2.0", "4.0", ""]
    assert not (book.root / "_build" / "executed").exists(), "the book's own copies are left alone"
    assert not (folder / "running").exists()


@pytest.mark.slow
def test_a_run_prints_what_it_reported_and_is_not_repeated(book: MiniBook) -> None:
    for expected in ("3", "3"):
        process = command(book, "run", "01_a")
        output, errors = process.communicate(timeout=DEADLINE)
        assert process.returncode == 0, errors
        assert "doubled  6  %  by hand" in output
        assert ran(book) == expected
    assert str(book.root / "_build" / "runs" / "01_a" / "tiny_seed=0" / "01_a.ipynb") in output


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["run", "01_b"], "there is no chapter '01_b'; known: 01_a"),
        (["run", ""], "no chapter is named (CHAPTER=...); known: 01_a"),
        (["run", "01_a", "q=1"], "no parameter q"),
        (["run", "01_a", "profile=huge"], "no profile 'huge'"),
        (["sweep", "01_a"], "the grid is empty"),
    ],
)
def test_what_is_wrong_is_said_before_anything_runs(
    book: MiniBook,
    arguments: list[str],
    complaint: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(interrupts, "listen", lambda: None)  # pytest's own Ctrl-C stays as it is
    assert main([*arguments, "--root", str(book.root)]) == 1
    assert complaint in capsys.readouterr().err
    assert not Path(book.root / "ran.txt").exists()
