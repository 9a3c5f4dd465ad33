"""Expectations against a run: what moved, what is noise, what is new, what is missing."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from gem_lite.report import Record, Value

from .expected import Expectation, Expected
from .runs import Run
from .values import parts

MOVED, NOISE, SAME, NEW, MISSING, FREE = "moved", "within noise", "unchanged", "new", "missing", "not judged"
CHANGED_WORD = 2.0  # tolerances; as much as a whole number that is off by one


@dataclass(frozen=True)
class Row:
    """One result: what was expected, what came out, and the size of its move in tolerances."""

    chapter: str
    name: str
    status: str
    now: Value | None
    expectation: Expectation | None
    record: Record | None
    size: float = 0.0

    @property
    def unit(self) -> str:
        source = self.record or self.expectation
        return source.unit if source else ""

    @property
    def how(self) -> str:
        source = self.record or self.expectation
        return source.how if source else ""

    @property
    def better(self) -> bool | None:
        """Whether the move is one for the better; None where neither direction is."""
        old = self.expectation
        if old is None or old.higher_is_better is None:
            return None
        if not isinstance(self.now, (int, float)) or not isinstance(old.value, (int, float)):
            return None
        return (self.now > old.value) == old.higher_is_better


def compare(expected: Expected, run: Run, whole: bool = False) -> list[Row]:
    """A row for every result of the run's chapters, the largest moves first.

    Of the ``whole`` book, results of chapters that are no longer in it are missing; otherwise chapters that
    were not run are not looked at.
    """
    rows: list[Row] = []
    for chapter, found in run.chapters.items():
        rows += _rows(chapter, expected.results.get(chapter, {}), found.records)
    for chapter in [name for name in expected.results if whole and name not in run.chapters]:
        rows += _rows(chapter, expected.results[chapter], {})
    order = [MOVED, MISSING, NEW, NOISE, FREE, SAME]
    return sorted(rows, key=lambda row: (order.index(row.status), -row.size, row.chapter))


def _rows(chapter: str, known: Mapping[str, Expectation], found: Mapping[str, Record]) -> list[Row]:
    rows = []
    for name, record in found.items():
        old = known.get(name)
        if old is None:
            rows.append(Row(chapter, name, NEW, record.value, None, record))
            continue
        size = move(old, record.value)
        rows.append(Row(chapter, name, _status(old, record.value, size), record.value, old, record, size))
    gone = [name for name in known if name not in found]
    return rows + [Row(chapter, name, MISSING, None, known[name], None) for name in gone]


def _status(old: Expectation, now: Value, size: float) -> str:
    if now == old.value:
        return SAME
    if old.tolerance is None:
        return FREE
    return MOVED if size > 1 else NOISE


def move(old: Expectation, now: Value) -> float:
    """Size of a move in tolerances: that of the number in the value that moved most."""
    if now == old.value or old.tolerance is None:
        return 0.0
    before, after = parts(old.value), parts(now)
    if before.words != after.words:
        return CHANGED_WORD
    sizes = [
        abs(b - a) / length if length else math.inf
        for a, b, length in zip(before.numbers, after.numbers, old.tolerance, strict=True)
        if a != b
    ]
    return max(sizes, default=CHANGED_WORD)
