"""A folder of your own pictures, with or without a list of who is a right answer to whom."""

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gem_lite.datasets.benchmark import Benchmark, benchmark_of
from gem_lite.datasets.ground_truth import GroundTruth, checked_ground_truth, load_ground_truth
from gem_lite.datasets.names import folder_images

LABELS = {"positive": "ok", "ok": "ok", "junk": "junk", "easy": "easy", "hard": "hard"}
EDGES = ("x1", "y1", "x2", "y2")


def load_collection(folder: str | Path, truth: str | Path | None = None) -> Benchmark:
    """A folder of pictures as a benchmark.

    Args:
        folder: every picture below it, in any depth, belongs to the collection.
        truth: who is a right answer to whom:

            - a benchmark's ``gnd_*.pkl``, or the same structure as JSON;
            - a JSON file by names, ``{"images": […], "queries": [{"image", "bbox", "positives", "junk"}]}``;
              bbox and junk may be left out; without images all pictures of the folder are taken;
            - a CSV file with a header and the columns ``query,image,label`` and, if you like, ``x1,y1,x2,y2``
              (the query's box); label is positive, easy, hard or junk, and positive where the column is
              missing or empty;
            - the word ``"classes"``: the first folder of each picture's path is what it shows, every picture
              is a query, and the others of its class are the right answers;
            - None: there are pictures and no queries.

    Raises:
        ValueError: for a list that does not fit the folder, with the line or entry.
        MissingDataError: if the list names pictures that are not there.

    Chapter: 12_your_photographs.
    """
    folder = Path(folder).expanduser()
    if truth is None:
        return benchmark_of(folder.name, folder, {"imlist": folder_images(folder), "qimlist": [], "gnd": []})
    if str(truth) == "classes":
        return benchmark_of(folder.name, folder, truth_of_classes(folder_images(folder)))
    path = Path(truth).expanduser()
    if path.suffix.lower() == ".csv":
        return benchmark_of(folder.name, folder, _from_csv(path, folder))
    listing = json.loads(path.read_text(encoding="utf8")) if path.suffix == ".json" else {}
    if isinstance(listing, dict) and "queries" in listing:
        return benchmark_of(folder.name, folder, _from_listing(listing, path, folder))
    return benchmark_of(folder.name, folder, load_ground_truth(path))


def class_names(names: Iterable[str]) -> list[str]:
    """The class of each picture: the first folder of its path.

    Raises:
        ValueError: for a picture that lies in no folder, or if there is one class only.

    >>> class_names(["cup/1.jpg", "cup/old/2.jpg", "hat/1.jpg"])
    ['cup', 'cup', 'hat']
    """
    names = list(names)
    if loose := [name for name in names if "/" not in name]:
        raise ValueError(f"{loose[0]} lies in no folder, so its class is unknown: put it into one")
    classes = [name.split("/", 1)[0] for name in names]
    if len(set(classes)) < 2:
        raise ValueError(f"there is only one folder of pictures, {classes[0]!r}: classes need two at least")
    return classes


def truth_of_classes(names: list[str]) -> GroundTruth:
    """Every picture that is not alone in its class is a query, and junk to itself."""
    classes = class_names(names)
    members: dict[str, list[int]] = {}
    for row, each in enumerate(classes):
        members.setdefault(each, []).append(row)
    asked = [row for row, each in enumerate(classes) if len(members[each]) > 1]
    gnd: list[dict[str, Any]] = [
        {"ok": [other for other in members[classes[row]] if other != row], "junk": [row], "bbx": None}
        for row in asked
    ]
    return {"imlist": names, "qimlist": [names[row] for row in asked], "gnd": gnd}


def _from_listing(listing: dict[str, Any], path: Path, folder: Path) -> GroundTruth:
    names = listing.get("images") or folder_images(folder)
    row = {name: number for number, name in enumerate(names)}
    asked, gnd = [], []
    for number, query in enumerate(listing["queries"]):
        try:
            lists = {"ok": query["positives"], "junk": query.get("junk", [])}
            entry = {key: [row[name] for name in listed] for key, listed in lists.items()}
            asked.append(query["image"])
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"{path}: queries[{number}] lacks, or names what is not among the images: {error}"
            ) from error
        gnd.append({**entry, "bbx": query.get("bbox")})
    try:
        return checked_ground_truth({"imlist": names, "qimlist": asked, "gnd": gnd})
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _from_csv(path: Path, folder: Path) -> GroundTruth:
    names = folder_images(folder)
    row = {name: number for number, name in enumerate(names)}
    row |= {name.rsplit(".", 1)[0]: number for name, number in row.items()}
    queries: dict[str, dict[str, Any]] = {}
    for line, record in read_table(path, ("query", "image")):
        label = (record.get("label") or "positive").strip().lower()
        if label not in LABELS:
            raise ValueError(f"{path}, line {line}: unknown label {label!r}; known: {', '.join(LABELS)}")
        for column in ("query", "image"):
            if record[column] not in row:
                raise ValueError(f"{path}, line {line}: there is no picture {record[column]!r} in {folder}")
        entry = queries.setdefault(names[row[record["query"]]], {"bbx": None})
        entry.setdefault(LABELS[label], []).append(row[record["image"]])
        if all(record.get(edge) for edge in EDGES):
            try:
                entry["bbx"] = [float(record[edge]) for edge in EDGES]
            except ValueError:
                raise ValueError(f"{path}, line {line}: the box is no four numbers") from None
    revisited = any({"easy", "hard"} & entry.keys() for entry in queries.values())
    for entry in queries.values():
        for label in ("easy", "hard", "junk") if revisited else ("ok", "junk"):
            entry.setdefault(label, [])
        if revisited and "ok" in entry:
            raise ValueError(f"{path}: the labels are either positive and junk, or easy, hard and junk")
    try:
        return checked_ground_truth({"imlist": names, "qimlist": [*queries], "gnd": [*queries.values()]})
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def read_table(path: Path, needed: tuple[str, ...]) -> list[tuple[int, dict[str, str]]]:
    """The rows of a CSV file with a header, each with its line; spaces around words are dropped.

    Raises:
        ValueError: if a needed column is missing, in the header or in a row, or nothing is in the file.
    """
    with open(path, encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, skipinitialspace=True)
        header = [name.strip() for name in reader.fieldnames or ()]
        if missing := [name for name in needed if name not in header]:
            raise ValueError(
                f"{path} needs a header with the columns {', '.join(needed)}: {missing[0]} lacks"
            )
        reader.fieldnames = header
        rows = []
        for record in reader:
            cells = {name: (value or "").strip() for name, value in record.items() if isinstance(name, str)}
            if not all(cells.get(name) for name in needed):
                raise ValueError(f"{path}, line {reader.line_num}: {' and '.join(needed)} must not be empty")
            rows.append((reader.line_num, cells))
    if not rows:
        raise ValueError(f"{path} has no line below its header")
    return rows
