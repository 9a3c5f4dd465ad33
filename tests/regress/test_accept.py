"""Accepting a run: a reason, a history, and spreads that stay until they are measured again."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from samples import BEFORE, expected, picture, run

from book.builder.paths import Paths
from book.regress.accept import accept, seed_values
from book.regress.expected import FOLDER, figure_folder, read_expected, write_expected
from gem_lite.report import Record

CHAPTERS: list[Any] = [SimpleNamespace(name="01_a", needs=["pretrain"])]


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    (tmp_path / "book").mkdir()
    monkeypatch.setattr("book.regress.accept.current_seed_runs", lambda paths, chapters: {})
    return Paths(tmp_path, "tiny")


def test_expectations_come_back_as_they_were_written(paths: Paths) -> None:
    write_expected(paths.root, expected())
    assert read_expected(paths.root, "tiny") == expected()


def test_a_damaged_file_is_named(paths: Paths) -> None:
    file = write_expected(paths.root, expected())
    file.write_text('{"results": {"01_a": {"map": {"valeu": 1}}}}')
    with pytest.raises(ValueError, match=r"tiny\.json is not a file of expectations"):
        read_expected(paths.root, "tiny")


@pytest.mark.parametrize("reason", ["", "  ", "because"])
def test_a_reason_is_demanded(paths: Paths, reason: str) -> None:
    with pytest.raises(ValueError, match="say why the expectations change"):
        accept(paths, CHAPTERS, run(BEFORE), 0, reason)
    assert not (paths.root / "tests").exists()


def test_reasons_are_kept_with_what_they_changed(paths: Paths) -> None:
    accept(paths, CHAPTERS, run(BEFORE), 0, "the first results")
    moved = {**BEFORE, "queries": replace(BEFORE["queries"], value=90)}
    accept(paths, CHAPTERS, run(moved), 0, "twenty more\n queries")
    history = read_expected(paths.root, "tiny").history
    assert [entry["reason"] for entry in history] == ["the first results", "twenty more queries"]
    assert history[0]["new"] == len(BEFORE)
    assert history[1]["moved"] == 1


def test_the_spread_stays_until_it_is_measured_again(paths: Paths) -> None:
    write_expected(paths.root, expected())
    moved = {**BEFORE, "map_gem": replace(BEFORE["map_gem"], value=70.0)}
    accept(paths, CHAPTERS, run(moved), 0, "a better network")
    one = read_expected(paths.root, "tiny").results["01_a"]["map_gem"]
    assert (one.value, one.spread, one.tolerance) == (70.0, [1.0], [4.0])
    assert one.seeds == {"0": 60.0, "1": 61.0, "2": 62.0}


def test_seeds_measured_now_replace_those_of_before() -> None:
    known = expected().results["01_a"]
    others = {"1": {"map_gem": Record(64.0, "%")}}
    found = seed_values({"map_gem": Record(60.0, "%")}, 0, others, known)
    assert found == {"map_gem": {"0": 60.0, "1": 64.0}}


def test_seeds_of_another_processor_are_kept_beside_those_of_now(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = {"01_a": {"1": {"map_gem": Record(64.0, "%")}}}
    monkeypatch.setattr("book.regress.accept.current_seed_runs", lambda paths, chapters: now)
    write_expected(paths.root, replace(expected(), environment={"processor": "slow"}))
    measured = replace(run(BEFORE), environment={"processor": "fast"})
    accept(paths, CHAPTERS, measured, 0, "on another processor", other_processor=True)
    one = read_expected(paths.root, "tiny").results["01_a"]["map_gem"]
    values = {"0": 60.0, "1": 64.0, "0 on slow": 60.0, "1 on slow": 61.0, "2 on slow": 62.0}
    assert one.seeds == values
    assert one.spread == [pytest.approx(np.std(list(values.values()), ddof=1))]
    assert one.why == "4 × spread over seeds 0, 1 and 2 kinds of processor"

    again = replace(run(BEFORE), environment={"processor": "third"})
    accept(paths, CHAPTERS, again, 0, "on a third processor", other_processor=True)
    seeds = read_expected(paths.root, "tiny").results["01_a"]["map_gem"].seeds
    assert set(seeds) == {"0", "1", *(f"{s} on slow" for s in "012"), "0 on fast", "1 on fast"}

    with pytest.raises(ValueError, match=r"not from another kind of processor \(third\)"):
        accept(paths, CHAPTERS, again, 0, "once more by mistake", other_processor=True)
    accept(paths, CHAPTERS, again, 0, "something has really changed")
    seeds = read_expected(paths.root, "tiny").results["01_a"]["map_gem"].seeds
    assert set(seeds) == {"0", "1"}, "what other code gave elsewhere says nothing"


def test_without_seeds_of_this_processor_none_pass_for_its_own(paths: Paths) -> None:
    write_expected(paths.root, replace(expected(), environment={"processor": "slow"}))
    measured = replace(run(BEFORE), environment={"processor": "fast"})
    with pytest.raises(ValueError, match="no other seed of 01_a was executed here: make regress-seeds first"):
        accept(paths, CHAPTERS, measured, 0, "on another processor", other_processor=True)
    assert read_expected(paths.root, "tiny").environment == {"processor": "slow"}


def test_what_another_processor_measured_for_one_seed_only_is_kept_too() -> None:
    known = {"map": replace(expected().results["01_a"]["map_gem"], seeds={})}
    found = seed_values({"map": Record(63.0, "%")}, 0, {"1": {"map": Record(64.0, "%")}}, known, "slow")
    assert found == {"map": {"0": 63.0, "1": 64.0, "0 on slow": 60.0}}


def test_the_pictures_of_all_profiles_stay_below_three_megabytes(root: Path) -> None:
    sizes = [file.stat().st_size for file in (root / FOLDER).rglob("*.webp")]
    assert sum(sizes) <= 3_000_000


def test_figures_are_kept_small_and_old_ones_go(paths: Paths) -> None:
    folder = figure_folder(paths.root, "tiny") / "01_a"
    folder.mkdir(parents=True)
    (folder / "fig-gone.webp").write_bytes(b"old")
    accept(paths, CHAPTERS, run(BEFORE), 0, "the first results")
    assert [file.name for file in folder.iterdir()] == ["fig-a.webp"]
    assert read_expected(paths.root, "tiny").figures == {"01_a": {"fig-a": picture().fingerprint}}
