"""Retrieval benchmarks, all in one form: pictures to search, queries, and who is a right answer."""

import re
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gem_lite.datasets import holidays
from gem_lite.datasets.fetch import existing, fetched, image_folder
from gem_lite.datasets.ground_truth import GroundTruth, load_ground_truth
from gem_lite.datasets.names import folder_images, image_path, leads_out
from gem_lite.datasets.sources import Source, data_dir, source
from gem_lite.datasets.upright import read_rotations, upright_copies

REVISITED = ("easy", "medium", "hard")
CLASSIC = ("classic",)


@dataclass(frozen=True)
class Benchmark:
    """A benchmark whose pictures are on disk.

    Args:
        name: of the set.
        names: N names of the database pictures, as the ground truth has them.
        images: N paths, in the same order.
        query_names: Q names of the queries.
        queries: Q paths.
        boxes: for each query (x1, y1, x2, y2) in its pixels, or None for all of it.
        gnd: for each query the index lists into `names`; what `gem_lite.evaluate.evaluate` takes.
        notes: what a reader of its numbers has to know.
    """

    name: str
    names: list[str]
    images: list[Path]
    query_names: list[str]
    queries: list[Path]
    boxes: list[list[float] | None]
    gnd: list[dict[str, Any]]
    notes: tuple[str, ...] = ()

    @property
    def protocols(self) -> tuple[str, ...]:
        """Those of `gem_lite.evaluate` that the ground truth allows."""
        return REVISITED if self.gnd and "easy" in self.gnd[0] else CLASSIC

    @property
    def query_rows(self) -> npt.NDArray[np.int64]:
        """(Q,) row of each query in the database, -1 where it is not in it."""
        row = {name: number for number, name in enumerate(self.names)}
        return np.array([row.get(name, -1) for name in self.query_names], dtype=np.int64)

    @property
    def groups(self) -> list[str]:
        """Q labels: queries of one landmark, whose names differ in their last number only, share one."""
        return [re.sub(r"_\d+$", "", name) for name in self.query_names]

    def with_distractors(self, name: str, images: list[Path], notes: tuple[str, ...] = ()) -> "Benchmark":
        """The same queries among more pictures: they come last, so that the ground truth stays right."""
        names = [path.as_posix() for path in images]
        return replace(
            self,
            name=name,
            names=self.names + names,
            images=self.images + images,
            notes=self.notes + notes,
        )


def load_benchmark(
    name: str, *, fetch: bool = True, progress: bool = True, table: str | Path | None = None
) -> Benchmark:
    """A benchmark by name, downloaded if need be: oxford5k, paris6k, roxford5k, rparis6k, holidays, with
    distractors oxford105k, paris106k, roxford5k+1m, rparis6k+1m, or any set of your own table.

    Of *Holidays* no address is known: put its pictures into the data folder, or set ``images_dir``. Its
    ground truth follows from the file names, see `gem_lite.datasets.holidays`. Some of its pictures lie on
    their side, and papers differ in whether they turn them first, which changes the result. Without
    ``rotations`` in the table they stay as they are (but for an EXIF orientation), and a note says so.

    Args:
        name: of a table in ``sources.toml`` or in your own.
        fetch: whether what is missing may be downloaded.
        progress: shows bars.
        table: your own table of sources, see `gem_lite.datasets.sources.sources`.

    Raises:
        UnknownSourceError: for an unknown set, or one without an address that is not there.
        MissingDataError: if pictures that the ground truth names are missing.
        DownloadError, ArchiveError: if the files cannot be had.
        ValueError: for a damaged ground truth.

    Chapter: 12_your_photographs.
    """
    chosen = source(name, table)
    if chosen.parts:
        first, *others = chosen.parts
        benchmark = load_benchmark(first, fetch=fetch, progress=progress, table=table)
        for other in others:
            images, notes = load_distractors(other, fetch=fetch, progress=progress, table=table)
            benchmark = benchmark.with_distractors(name, images, notes)
        return benchmark
    of_images = source(chosen.images_of, table) if chosen.images_of else chosen
    if name == "holidays":
        return _holidays(image_folder(chosen, fetch, progress), chosen)
    # The ground truth first: it is small, and whatever is wrong with it is said before gigabytes come.
    path = fetched(chosen.truth, chosen.truth_file, chosen, fetch, progress)
    truth = load_ground_truth(path)
    return benchmark_of(name, image_folder(of_images, fetch, progress), truth)


def benchmark_of(name: str, folder: Path, truth: GroundTruth, notes: tuple[str, ...] = ()) -> Benchmark:
    """A benchmark from a folder of pictures and a ground truth that names them.

    Raises:
        MissingDataError: if a picture is missing.
    """
    images = existing([image_path(folder, each) for each in truth["imlist"]], name)
    queries = existing([image_path(folder, each) for each in truth["qimlist"]], f"{name}, its queries,")
    boxes = [entry.get("bbx") for entry in truth["gnd"]]
    return Benchmark(name, truth["imlist"], images, truth["qimlist"], queries, boxes, truth["gnd"], notes)


def load_distractors(
    name: str, *, fetch: bool = True, progress: bool = True, table: str | Path | None = None
) -> tuple[list[Path], tuple[str, ...]]:
    """Pictures that answer no query, and what has to be known of them.

    A set with a list of its own is taken in the order of the list. The list of the million distractors names
    pictures that its archives do not hold; those are left out, with a warning and a note of how many.

    Args and errors as `load_benchmark`.
    """
    chosen = source(name, table)
    folder = image_folder(chosen, fetch, progress)
    if not chosen.list:
        return [folder / each for each in folder_images(folder)], ()
    path = fetched(chosen.list, chosen.list_file, chosen, fetch, progress)
    listed = [line.strip() for line in path.read_text(encoding="utf8").splitlines() if line.strip()]
    if bad := [each for each in listed if leads_out(each)]:
        raise ValueError(f"{path} names a file outside of the folder: {bad[0][:200]!r}")
    there = set(folder_images(folder))
    found = [each for each in listed if each in there]
    if not found:
        raise ValueError(
            f"none of the {len(listed)} pictures that {path} names, as {listed[0]!r}, is below {folder}, "
            f"where there are such as {min(there)!r}"
        )
    if len(found) == len(listed):
        return [folder / each for each in found], ()
    note = f"{len(listed) - len(found)} of the {len(listed)} distractors of {name} are not in its archives"
    warnings.warn(note, stacklevel=2)
    return [folder / each for each in found], (note,)


def _holidays(folder: Path, chosen: Source) -> Benchmark:
    names = folder_images(folder)
    truth = holidays.ground_truth(names)
    if not chosen.rotations:
        note = (
            "pictures of Holidays as they are in the files; compare only with papers that did not turn them"
        )
        return benchmark_of("holidays", folder, truth, (note,))
    rotations = read_rotations(Path(chosen.rotations).expanduser(), names)
    upright = upright_copies(folder, rotations, data_dir() / "test" / "holidays" / "upright")
    images = [upright.get(each, folder / each) for each in truth["imlist"]]
    by_name = dict(zip(truth["imlist"], images, strict=True))
    return replace(
        benchmark_of("holidays", folder, truth, (f"{len(upright)} pictures of Holidays turned upright",)),
        images=images,
        queries=[by_name[each] for each in truth["qimlist"]],
    )
