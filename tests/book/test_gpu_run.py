"""A profile in bounded calls: each keeps what it has made, and the next goes on, on a fresh machine, too."""

import json
import os
import shutil
import tarfile
from pathlib import Path

import pytest
from minibook import MiniBook

from book.builder import interrupts
from book.gpu import state
from book.gpu.__main__ import DONE, FAILED, MORE, main

RESULT = 'from gem_lite.report import report\nreport("doubled", 2 * seed, unit="%")'


@pytest.fixture(autouse=True)
def _own_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupts, "listen", lambda: None)  # pytest's own Ctrl-C stays as it is
    monkeypatch.setattr(interrupts, "_deadlines", [])


@pytest.fixture
def book(mini: MiniBook, monkeypatch: pytest.MonkeyPatch) -> MiniBook:
    monkeypatch.setenv("GEM_LITE_CACHE", str(mini.root / ".cache"))
    return mini


def call(root: Path, *arguments: str) -> int:
    return main(["--profile", "tiny", "--root", str(root), "--state", str(root.parent / "state"), *arguments])


def stop_when(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    """The time is over as soon as this file exists: whether the machine is fast or busy."""
    monkeypatch.setattr(interrupts, "seconds_left", lambda: -1.0 if file.exists() else 1.0)


@pytest.mark.slow
def test_the_next_call_goes_on_in_a_fresh_checkout(
    book: MiniBook, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path_factory
) -> None:
    pytest.importorskip("book.regress.accept")
    wait = "import pathlib, time\nwhile not pathlib.Path('../go').exists():\n    time.sleep(0.1)"
    book.chapter("01_a", 'open("../ran.txt", "a").write(f"{seed} ")', RESULT)
    book.chapter("02_b", wait, RESULT)
    (book.root / ".cache").mkdir()
    (book.root / ".cache" / "trained-tiny-0-gem-0123.pt").write_text("weights")
    (book.root / ".cache" / "toytown-tiny-0-train-0123.npz").write_text("pictures")
    fresh = tmp_path_factory.mktemp("fresh") / "checkout"
    shutil.copytree(book.root, fresh)
    shutil.rmtree(fresh / ".cache")

    stop_when(monkeypatch, book.executed("01_a").with_suffix(".json"))
    assert call(book.root, "--seeds", "1", "--budget", "600") == MORE
    assert "seed 0: 1 of 2 chapters: 02_b" in capsys.readouterr().out
    assert (book.root / "ran.txt").read_text() == "0 "

    monkeypatch.undo()
    monkeypatch.setattr(interrupts, "listen", lambda: None)
    monkeypatch.setenv("GEM_LITE_CACHE", str(fresh / ".cache"))
    shutil.copytree(book.root.parent / "state", fresh.parent / "state")
    (fresh / "go").touch()
    assert call(fresh, "--seeds", "1", "--budget", "600") == DONE
    assert not (fresh / "ran.txt").exists(), "the first chapter is not executed again"
    assert sorted(path.name for path in (fresh / ".cache").glob("*.*")) == ["trained-tiny-0-gem-0123.pt"]
    expected = json.loads((fresh / "tests" / "expected" / "tiny.json").read_text())
    assert expected["results"]["02_b"]["doubled"]["value"] == 0
    assert expected["environment"]["python"].startswith("3.")
    assert "gpu" in expected["environment"]

    home = tmp_path_factory.mktemp("home")
    for folder in ("book", "state"):
        shutil.copytree((fresh if folder == "book" else fresh.parent) / folder, home / "here" / folder)
    arguments = ["--root", str(home / "here"), "--state", str(home / "here" / "state"), "--bring-back"]
    assert main(["--profile", "tiny", *arguments]) == DONE
    assert (home / "here" / "tests" / "expected" / "tiny.json").is_file()


def test_a_budget_in_which_nothing_gets_on_is_an_error(
    book: MiniBook, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    book.chapter("01_a", "import time\ntime.sleep(600)")
    stop_when(monkeypatch, book.root)
    assert call(book.root, "--seeds", "2", "--budget", "1") == FAILED
    said = capsys.readouterr()
    assert "Nothing has got on in 1 s: give a larger --budget" in said.err
    assert "seed 1: 1 of 1 chapters: 01_a" in said.out


def test_packing_keeps_within_the_size_and_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "PART_BYTES", 10_000)
    made = tmp_path / "made"
    (made / "deep").mkdir(parents=True)
    (made / "deep" / "noise.bin").write_bytes(os.urandom(35_000))
    (made / "toytown-lite.npz").write_bytes(b"x")
    (made / ".hidden").write_bytes(b"x")
    packed = tmp_path / "packed"
    for _ in range(2):  # a second state takes the place of the first
        parts = state.pack(packed, state.files_below(made, "here"))
        assert len(parts) == 4
        assert {path.name for path in packed.iterdir()} == {part.name for part in parts}
        assert max(part.stat().st_size for part in parts) == 10_000
    assert state.unpack(packed, tmp_path / "out") == 1
    assert (tmp_path / "out" / "here" / "deep" / "noise.bin").read_bytes() == (
        made / "deep" / "noise.bin"
    ).read_bytes()
    assert state.unpack(tmp_path / "made", tmp_path / "out") == 0, "no state there"


def test_a_state_that_names_another_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "evil").write_text("x")
    state.pack(tmp_path / "packed", [(tmp_path / "evil", "../../evil")])
    with pytest.raises(tarfile.TarError):
        state.unpack(tmp_path / "packed", tmp_path / "out")
