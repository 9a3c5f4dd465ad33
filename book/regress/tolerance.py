"""How far a result may move before it counts as moved, and why that far.

In this order: what the chapter declares; exact, for whole numbers and words that no seed changes; rounding,
for what no trained network has a part in; and K times the spread over seeds for everything else.
"""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from gem_lite.report import Record, Value

from .values import REAL, WHOLE, Parts, parts

# Two runs of the same thing differ by √2 spreads on average, so that 4 spreads are nearly three of those.
K = 4.0
EXACT = 0.5  # of one unit: any other whole number is a move, of two tolerances or more
PERCENT = ("%", "points")
ELSEWHERE = " on "  # between a seed and the kind of processor, where that is not the expectations' own
PRINTED_PERCENT = 0.05  # the book prints one digit after the point
RELATIVE, LEAST = 1e-3, 1e-5  # of other numbers; below LEAST is the noise of float32


class Tolerance(NamedTuple):
    """One length per number of the value; None: shown, not judged."""

    lengths: list[float] | None
    why: str
    spread: list[float] | None = None


def spread_over(values: Iterable[Value]) -> list[float] | None:
    """Sample standard deviation of each number over seeds; None where the words differ, or for one seed.

    >>> spread_over(["1.0 (0 to 2)", "3.0 (2 to 6)"]) == [2**0.5, 2**0.5, 8**0.5]
    True
    """
    split = [parts(value) for value in values]
    if len(split) < 2 or len({one.words for one in split}) > 1:
        return None
    return [statistics.stdev(column) for column in zip(*(one.numbers for one in split), strict=True)]


def usual_spread(spreads: Iterable[tuple[str, list[float] | None]]) -> float:
    """Median spread of a chapter's percentages: three seeds may agree on one of them by luck.

    Those that no seed changes say nothing about noise and are left out.
    """
    found = [s for unit, spread in spreads if unit in PERCENT and spread for s in spread if s > 0]
    return statistics.median(found) if found else 0.0


def tolerance_of(record: Record, seeds: Mapping[str, Value], trained: bool, usual: float) -> Tolerance:
    """Tolerance of one result.

    Args:
        record: as reported for the profile's own seed.
        seeds: values by seed, that one included; "0 on X" is seed 0 on a processor of kind X.
        trained: whether the chapter uses trained networks.
        usual: the chapter's `usual_spread`.
    """
    split = parts(record.value)
    if not record.compared:
        return Tolerance(None, "differs from run to run by nature: not compared")
    if record.tolerance is not None:
        return Tolerance([record.tolerance], "declared by the chapter")
    if not trained:
        return Tolerance(*_rounding(split, record.unit, "no trained network has a part in it"))
    if len(seeds) < 2:
        return Tolerance(*_rounding(split, record.unit, "measured for one seed only, its noise is unknown"))
    names = _names(seeds)
    spread = spread_over(seeds.values())
    if spread is None:
        return Tolerance(None, f"its words differ over seeds {names}: shown, not judged")
    if not any(spread):
        return Tolerance(*_rounding(split, record.unit, f"the same for seeds {names}"), spread)
    floor = usual if record.unit in PERCENT else 0.0
    used = [max(s, floor) if split.kind == REAL else max(spread) for s in spread]
    why = f"{K:g} × spread over seeds {names}"
    if used[0] > spread[0] and split.kind == REAL:
        why += ", raised to the chapter's usual one"
    least = _rounding(split, record.unit, "")[0]
    return Tolerance([max(K * s, at_least) for s, at_least in zip(used, least, strict=True)], why, spread)


def _names(seeds: Iterable[str]) -> str:
    """Seeds in words.

    >>> _names(["0", "1", "0 on A", "0 on B"])
    '0, 1 and 3 kinds of processor'
    """
    own = ", ".join(seed for seed in seeds if ELSEWHERE not in seed)
    others = {seed.partition(ELSEWHERE)[2] for seed in seeds if ELSEWHERE in seed}
    return f"{own} and {1 + len(others)} kinds of processor" if others else own


def _rounding(split: Parts, unit: str, because: str) -> tuple[list[float], str]:
    """Exact for whole numbers and words, a digit that nobody prints for others."""
    if split.kind == REAL:
        number = abs(split.numbers[0])
        length = PRINTED_PERCENT if unit in PERCENT else max(RELATIVE * number, LEAST)
        return [length], f"rounding: {because}"
    if split.kind == WHOLE or not split.numbers:
        return [EXACT] * len(split.numbers), f"exact: {because}"
    return _steps(split.steps), f"rounding: {because}"


def _steps(steps: Sequence[float]) -> list[float]:
    """One unit of the last printed digit, and a hair: printed digits are decimal, floats are not."""
    return [1.001 * step for step in steps]
