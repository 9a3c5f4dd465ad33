"""What a benchmark found, for the table of ``make bench``; run by itself, a benchmark only prints."""

import json
import os
from pathlib import Path


def record(what: str, value: float, unit: str = "", goal: str = "", **details: object) -> None:
    """Adds a row to the file that ``$GEM_LITE_BENCH_ROWS`` names; without it, does nothing.

    A row is written as soon as it is known: what a benchmark found before it failed stays.

    Args:
        what: was measured, in words.
        value, unit: the number, as ``3.2, "x"`` or ``41.0, "s"``.
        goal: what was hoped for, in words, such as "at least 2.5".
        details: sizes, threads, seconds and whatever else explains the number; must be JSON.
    """
    if path := os.environ.get("GEM_LITE_BENCH_ROWS"):
        row = {"what": what, "value": float(value), "unit": unit, "goal": goal, "details": details}
        with Path(path).open("a", encoding="utf8") as file:
            file.write(json.dumps(row) + "\n")
