"""A reported value as numbers to compare, and the words around them.

A text such as ``+2.5 (−0.1 to +5.1)`` is three numbers in words; a verdict is words alone; a number is one
number without words. So all are compared by the same rule.
"""

import re
from dataclasses import dataclass

from gem_lite.report import Value

NUMBER = re.compile(r"[+\-−]?\d+(?:\.\d+)?(?:e[+-]?\d+)?")
WHOLE, TEXT, REAL = "whole", "text", "real"


@dataclass(frozen=True)
class Parts:
    """Numbers of a value, in order; its words, with # for each number; the last digit that is printed."""

    kind: str
    words: str
    numbers: tuple[float, ...]
    steps: tuple[float, ...]


def parts(value: Value) -> Parts:
    """Numbers and words of a reported value.

    >>> parts("+2.5 (−0.1 to +5.1)")
    Parts(kind='text', words='# (# to #)', numbers=(2.5, -0.1, 5.1), steps=(0.1, 0.1, 0.1))
    """
    if isinstance(value, str):
        found = [text.replace("−", "-") for text in NUMBER.findall(value)]
        return Parts(TEXT, NUMBER.sub("#", value), tuple(map(float, found)), tuple(map(_step, found)))
    kind = WHOLE if isinstance(value, int) else REAL
    return Parts(kind, "#", (float(value),), (1.0 if kind == WHOLE else 0.0,))


def _step(text: str) -> float:
    """One unit of the last digit of a printed number."""
    digits, _, exponent = text.partition("e")
    return float(f"1e{int(exponent or 0) - len(digits.partition('.')[2])}")


def shown(value: Value | None, unit: str = "") -> str:
    """A value as a report prints it: six significant digits, with its unit."""
    if value is None:
        return "–"
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return f"{text} {unit}".rstrip()
