"""The ground truth of INRIA Holidays, which has no file: it follows from the names of the pictures.

A picture is called by a number of six digits, such as ``100002.jpg``. The first four name the group, and a
group shows one scene. The picture whose last two digits are 00 is the query of its group, the others are its
right answers. The query itself is in the database, and is left out of its own ranking.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gem_lite.datasets.ground_truth import GroundTruth

# Of the set as published.
PICTURES, QUERIES = 1491, 500


def ground_truth(names: Sequence[str]) -> GroundTruth:
    """Who belongs together, by the names alone, in the form of a classic gnd file.

    Args:
        names: of the picture files.

    Raises:
        ValueError: for a name that is no number of six digits, twice the same, or a group without its query.

    >>> truth = ground_truth(["100000.jpg", "100001.jpg", "100002.jpg", "100100.jpg", "100101.jpg"])
    >>> truth["qimlist"], truth["gnd"][0]
    (['100000.jpg', '100100.jpg'], {'ok': [1, 2], 'junk': [0], 'bbx': None})
    """
    numbers = [_number(name) for name in names]
    if len(set(numbers)) < len(numbers):
        raise ValueError("two pictures of Holidays have the same number")
    row = {number: position for position, number in enumerate(numbers)}
    groups: dict[str, list[str]] = {}
    for number in sorted(numbers):
        groups.setdefault(number[:4], []).append(number)
    gnd: list[dict[str, Any]] = []
    queries: list[str] = []
    for group, members in groups.items():
        if members[0] != f"{group}00":
            raise ValueError(f"Holidays lacks {group}00, the query of the group of {members[0]}")
        queries.append(names[row[members[0]]])
        gnd.append({"ok": [row[each] for each in members[1:]], "junk": [row[members[0]]], "bbx": None})
    return {"imlist": list(names), "qimlist": queries, "gnd": gnd}


def _number(name: str) -> str:
    stem = Path(name).stem
    if not re.fullmatch(r"\d{6}", stem):
        raise ValueError(f"{name!r} is no picture of Holidays: their names are numbers of six digits")
    return stem
