"""What counts as moved, as noise, as new and as missing."""

from dataclasses import replace

import pytest
from samples import BEFORE, expected, run

from book.regress.compare import Row, compare
from gem_lite.report import Record, Value


def rows(**changes: Value) -> list[Row]:
    records = {name: replace(one, value=changes.get(name, one.value)) for name, one in BEFORE.items()}
    return compare(expected(), run(records))


def status(found: list[Row]) -> dict[str, str]:
    return {row.name: row.status for row in found if row.status != "unchanged"}


def test_an_unchanged_run_has_only_unchanged_rows() -> None:
    assert status(rows()) == {}


@pytest.mark.parametrize(
    ("name", "value", "verdict"),
    [
        ("map_gem", 63.9, "within noise"),
        ("map_gem", 64.1, "moved"),
        ("norm", 1.000009, "within noise"),
        ("norm", 0.9, "moved"),
        ("queries", 71, "moved"),
        ("verdict", "a loss", "moved"),
        ("gap", "+2.1 (−1.0 to +5.0)", "within noise"),
        ("gap", "+2.0 (−1.0 to +5.2)", "moved"),
        ("gap", "none", "moved"),
        ("seconds", 99.0, "not judged"),
    ],
)
def test_the_tolerance_decides(name: str, value: Value, verdict: str) -> None:
    assert status(rows(**{name: value})) == {name: verdict}


def test_the_largest_move_comes_first() -> None:
    found = rows(queries=71, norm=0.5, map_gem=70.0, map_mac=51.0)
    assert [row.name for row in found[:4]] == ["norm", "map_gem", "queries", "map_mac"]
    assert [row.size for row in found[:3]] == pytest.approx([5e4, 2.5, 2.0])


def test_new_and_missing_are_no_moves() -> None:
    records = {name: one for name, one in BEFORE.items() if name != "queries"} | {"fresh": Record(1.0)}
    assert status(compare(expected(), run(records))) == {"queries": "missing", "fresh": "new"}


def test_a_move_is_for_the_better_or_the_worse() -> None:
    better = {row.name: row.better for row in rows(map_gem=70.0, norm=2.0)}
    assert better["map_gem"] is True
    assert better["norm"] is None
    assert {row.name: row.better for row in rows(map_gem=20.0)}["map_gem"] is False


def test_chapters_that_were_not_run_are_not_missed() -> None:
    old = expected()
    old.results["02_b"] = old.results["01_a"]
    assert {row.chapter for row in compare(old, run(BEFORE))} == {"01_a"}
    gone = [row for row in compare(old, run(BEFORE), whole=True) if row.chapter == "02_b"]
    assert {row.status for row in gone} == {"missing"}, (
        "the whole book was run, and this chapter is not in it"
    )
