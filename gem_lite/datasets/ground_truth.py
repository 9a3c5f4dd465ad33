"""Ground truths of retrieval benchmarks: who is a right answer to which query."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypedDict

from gem_lite import safe_pickle
from gem_lite.datasets.names import leads_out

INDEX_LISTS = ("ok", "easy", "hard", "junk")


class GroundTruth(TypedDict):
    """What a gnd file holds, under the file's own names."""

    imlist: list[str]  # names of the database images, without folder, often without suffix
    qimlist: list[str]  # names of the queries
    gnd: list[dict[str, Any]]  # per query: index lists into imlist, and bbx = [x1, y1, x2, y2] or None


def load_ground_truth(path: str | Path) -> GroundTruth:
    """Reads a ground truth in the form of the Oxford and Paris benchmarks, trusting nothing in the file.

    Args:
        path: a ``gnd_*.pkl`` as published, or the same structure in a ``.json``: ``imlist``, ``qimlist`` and
            ``gnd``, which has for each query ``easy``, ``hard`` and ``junk`` (revisited) or ``ok`` and
            ``junk`` (classic), and may have ``bbx``.

    Returns:
        The same structure in plain lists, strings and numbers, checked.

    Raises:
        gem_lite.safe_pickle.UnsafePickleError: for a pickle that holds anything but containers, strings,
            numbers and arrays; nothing of it has run then.
        ValueError: for a damaged file or one of another structure, with what is wrong and where.

    Chapter: 01_retrieval.
    """
    path = Path(path)
    content = path.read_bytes()
    if path.suffix == ".json":
        try:
            found = json.loads(content)
        except ValueError as error:
            raise ValueError(f"{path} is not readable JSON: {error}") from error
    else:
        found = safe_pickle.loads(content, str(path))
    try:
        return checked_ground_truth(found)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def checked_ground_truth(found: Any) -> GroundTruth:
    """The same ground truth in plain containers.

    Raises:
        ValueError: where its structure is not that of a gnd file.
    """
    names = ("imlist", "qimlist", "gnd")
    if not isinstance(found, dict) or not all(isinstance(found.get(name), list) for name in names):
        raise ValueError("a ground truth must be a mapping with the lists imlist, qimlist and gnd")
    imlist = _image_names(found["imlist"], "imlist")
    qimlist = _image_names(found["qimlist"], "qimlist")
    if len(found["gnd"]) != len(qimlist):
        raise ValueError(f"gnd has {len(found['gnd'])} entries for {len(qimlist)} queries")
    gnd = [_query(entry, f"gnd[{row}]", len(imlist)) for row, entry in enumerate(found["gnd"])]
    return {"imlist": imlist, "qimlist": qimlist, "gnd": gnd}


def _image_names(names: Sequence[Any], where: str) -> list[str]:
    for row, name in enumerate(names):
        if not isinstance(name, str) or not name:
            raise ValueError(f"{where}[{row}] is not an image name")
        # Names are joined to the folder of the images, and must not lead out of it.
        if leads_out(name):
            raise ValueError(f"{where}[{row}] leads out of the folder of the images: {name[:80]!r}")
    return list(names)


def _query(entry: Any, where: str, n_images: int) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise ValueError(f"{where} is not a mapping")
    query: dict[str, Any] = {
        name: _indices(entry[name], f"{where}[{name!r}]", n_images) for name in INDEX_LISTS if name in entry
    }
    if not ("ok" in query or {"easy", "hard"} <= query.keys()):
        raise ValueError(f"{where} needs the lists easy, hard and junk, or ok and junk")
    owner: dict[int, str] = {}
    for name, indices in query.items():
        for index in indices:
            if index in owner:
                raise ValueError(f"{where} names image {index} twice, in {owner[index]} and in {name}")
            owner[index] = name
    if "bbx" in entry:
        query["bbx"] = _box(entry["bbx"], where)
    return query


def _indices(values: Any, where: str, n_images: int) -> list[int]:
    if not isinstance(values, list | tuple):
        raise ValueError(f"{where} is not a list of indices")
    for value in values:
        if type(value) is not int or not 0 <= value < n_images:
            raise ValueError(f"{where} holds something that is no index into the {n_images} images of imlist")
    return list(values)


def _box(values: Any, where: str) -> list[float] | None:
    if values is None:
        return None
    if not isinstance(values, list | tuple) or len(values) != 4:
        raise ValueError(f"{where}['bbx'] is not [x1, y1, x2, y2]")
    if not all(type(value) in (int, float) and math.isfinite(value) for value in values):
        raise ValueError(f"{where}['bbx'] holds something that is no number")
    x1, y1, x2, y2 = values
    if x1 >= x2 or y1 >= y2:
        raise ValueError(f"{where}['bbx'] is empty: its corners are {x1}, {y1} and {x2}, {y2}")
    return list(values)
