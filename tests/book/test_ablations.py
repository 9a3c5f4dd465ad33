"""The ablations: what is planned, how a record is made from measurements, and what the record must show."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from book.ablations import plan
from book.ablations.plan import Job
from book.ablations.record import over_seeds, record

RECORD = Path(__file__).resolve().parents[1] / "expected" / "ablations.json"


def test_the_main_table_of_all_seeds_comes_first_and_nothing_twice() -> None:
    jobs = list(plan.jobs((0, 1)))
    assert len(set(jobs)) == len(jobs)
    variants = {each.name for each in plan.VARIANTS}
    parts = [2 if job.name in variants else int(job.kind == "head") for job in jobs]
    assert parts == sorted(parts)
    assert parts.count(0) == 2 * (len(plan.POOLINGS) + len(plan.MAIN))


def test_variants_are_found_by_their_names() -> None:
    for each in (*plan.MAIN, *plan.VARIANTS):
        assert plan.variant(each.name) == each


def test_over_seeds_by_hand() -> None:
    assert over_seeds([1.0, 3.0]) == {"mean": 2.0, "sd": 1.41, "each": [1.0, 3.0]}
    assert over_seeds([1.0])["sd"] is None


def measured(offset: float, seed: int) -> dict[str, Any]:
    """Two landmarks with two queries each, no two seeds share a landmark."""
    aps = [offset, offset + 0.1, offset + 0.2, float("nan")]
    groups = [10 * seed, 10 * seed, 10 * seed + 1, 10 * seed + 1]
    conditions = (f"{w}/{p}" for w in ("raw", "PCAw", "Lw") for p in ("easy", "medium", "hard"))
    return {"aps": dict.fromkeys(conditions, aps), "groups": groups, "shrinkage": 0.0}


def test_a_record_pairs_seed_by_seed_and_leaves_queries_without_positives_out() -> None:
    found = {
        Job(0, "tuned", "gem"): measured(0.5, 0),
        Job(1, "tuned", "gem"): measured(0.6, 1),
        Job(0, "off", "gem"): measured(0.2, 0),
        Job(1, "off", "gem"): measured(0.2, 1),
    }
    made = record({job: content | {"p": [3.1]} for job, content in found.items()}, "tiny", 1.0)
    gem = made["networks"]["tuned/gem"]["raw/medium"]
    assert (gem["mean"], gem["each"]) == (65.0, [60.0, 70.0])
    gap = made["differences"]["fine-tuned − off the shelf, GeM"]
    assert (gap["mean"], gap["each"]) == (35.0, [30.0, 40.0])
    assert 30.0 <= gap["low"] <= gap["mean"] <= gap["high"] <= 40.0
    assert made["exponents"]["tuned/gem"]["mean"] == pytest.approx(3.1)
    assert "fine-tuned, GeM − MAC" not in made["differences"]
    assert made["recorded"]["seeds"] == [0, 1]


@pytest.fixture(scope="module")
def recorded() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf8"))
    return content


def test_the_record_is_of_three_seeds_of_lite_and_says_what_made_it(recorded: dict[str, Any]) -> None:
    told = recorded["recorded"]
    assert (told["profile"], told["seeds"]) == ("lite", [0, 1, 2])
    assert told["versions"]["torch"]
    assert told["hardware"]["processor"]
    planned = {job.key for job in plan.jobs() if job.kind != "head"}
    assert set(recorded["networks"]) == planned


def test_off_the_shelf_gem_is_neither_chance_nor_solved(recorded: dict[str, Any]) -> None:
    assert all(20 <= value <= 35 for value in recorded["networks"]["off/gem"]["raw/medium"]["each"])


def test_fine_tuned_gem_is_where_the_prototype_said_it_would_be(recorded: dict[str, Any]) -> None:
    found = recorded["networks"]["tuned/gem"]
    assert found["raw/medium"]["mean"] >= 58
    assert found["Lw/medium"]["mean"] >= 60


@pytest.mark.parametrize("pooling", ["GeM", "MAC", "SPoC"])
def test_fine_tuning_helps_every_pooling(recorded: dict[str, Any], pooling: str) -> None:
    gap = recorded["differences"][f"fine-tuned − off the shelf, {pooling}"]
    assert gap["low"] > 0
    assert min(gap["each"]) > 0


def test_learned_whitening_beats_pca_at_every_dimension_from_16(recorded: dict[str, Any]) -> None:
    curve = recorded["dimensions"]["tuned/gem"]
    dimensions = [dimension for dimension in curve if int(dimension) >= 16]
    assert len(dimensions) >= 4
    for dimension in dimensions:
        assert curve[dimension]["Lw − PCAw"]["low"] > 0, dimension


def test_the_share_of_clutter_falls(recorded: dict[str, Any]) -> None:
    for pooling in ("mac", "spoc", "gem"):
        before, after = (recorded["surfaces"][f"{kind}/{pooling}"]["clutter"] for kind in ("off", "tuned"))
        pairs = zip(before["share"]["each"], after["share"]["each"], strict=True)
        assert all(later < earlier for earlier, later in pairs), pooling


def test_alpha_weights_beat_plain_averages_of_many_neighbours(recorded: dict[str, Any]) -> None:
    assert recorded["expansion"]["Lw, α=3 − AQE at n=100"]["low"] > 0


def test_every_mean_is_that_of_its_seeds(recorded: dict[str, Any]) -> None:
    for key, conditions in recorded["networks"].items():
        for name, value in conditions.items():
            assert value["mean"] == pytest.approx(np.mean(value["each"]), abs=0.02), (key, name)
            assert value["low"] <= value["mean"] <= value["high"], (key, name)
