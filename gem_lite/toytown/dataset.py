"""The splits of Toytown: rendered once in parallel, kept on disk, the same pixels for everybody.

Which landmarks a split has follows from the run's seed; no two splits, and no two seeds, share one. The
test split is not here: ``gem_lite.toytown.held_out`` is its only door.
"""

import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gem_lite.cache import artefact_path, locked, written_atomically
from gem_lite.profiles import Profile, get_profile
from gem_lite.toytown.covisibility import Covisibility
from gem_lite.toytown.landmark import POINTS
from gem_lite.toytown.parallel import run_jobs
from gem_lite.toytown.renderer import Rendering, render, render_landmark
from gem_lite.toytown.scene import World, sample_view

# First landmark of each split, for seed 0; the next seed's landmarks start SEED_STRIDE later.
FIRST_LANDMARK = {"train": 20_000, "val": 30_000, "distractors": 50_000, "backdrop": 60_000}
SEED_STRIDE = 100_000
MODULES = ("gem_lite.toytown.dataset",)
FIELDS = ("images", "masks", "visible", "scales")


@dataclass(frozen=True, eq=False)
class ImageSet:
    """N pictures of one split with what structure from motion would know of them.

    ``images`` (N, S, S, 3) uint8 RGB; ``masks`` (N, S, S) uint8, the renderer's GROUND, LANDMARK, CLUTTER and
    SKY; ``landmarks`` and ``views`` (N,) int64, which together decide every pixel; ``visible`` (N, P) bool,
    the points of its landmark that an image observes; ``scales`` (N,) float32, their median apparent scale.

    Chapter: 02_toytown.
    """

    images: NDArray[np.uint8]
    masks: NDArray[np.uint8]
    landmarks: NDArray[np.int64]
    views: NDArray[np.int64]
    visible: NDArray[np.bool_]
    scales: NDArray[np.float32]
    world: World

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        side = self.images.shape[1]
        count = len(np.unique(self.landmarks))
        return f"<{type(self).__name__}: {len(self)} images of {count} landmarks, {side} x {side} pixels>"

    @property
    def covisibility(self) -> Covisibility:
        """Which of the images see the same points; what mining asks."""
        return Covisibility(self.visible, self.scales, self.landmarks)

    def larger(self, index: int, size: int = 320) -> Rendering:
        """The same view of the same landmark rendered ``size`` pixels wide, for a figure."""
        return render(sample_view(int(self.landmarks[index]), int(self.views[index]), self.world), size)


def load(
    profile: str = "lite",
    seed: int = 0,
    split: str = "train",
    world: World | None = None,
    workers: int | None = None,
) -> ImageSet:
    """A split of Toytown, from the cache or rendered now with a progress bar.

    Args:
        profile: name in `gem_lite.profiles`, which fixes sizes.
        seed: of the run; other seeds have other landmarks.
        split: ``train``, ``val``, ``distractors`` or ``backdrop`` (buildings without clutter, for the
            pre-training pictures).
        world: parameters of the world; by default those of the book.
        workers: rendering processes; by default one per usable core. Does not change a pixel.

    Raises:
        ValueError: for an unknown profile or split, or a negative seed; for the test split, with the name of
            its own door.

    Chapter: 02_toytown.
    """
    if split == "test":
        raise ValueError(
            "the test split has its own door, gem_lite.toytown.load_test: code that tunes must not open it"
        )
    if split not in FIRST_LANDMARK:
        raise ValueError(f"unknown split {split!r}; known: {', '.join(FIRST_LANDMARK)}")
    sizes = get_profile(profile)
    counts = {
        "train": sizes.train,
        "val": sizes.val,
        "distractors": sizes.distractors,
        "backdrop": sizes.backdrop,
    }
    world = world or World()
    if split == "backdrop":
        world = replace(world, clutter=(0, 0))
    landmarks, views = counts[split]
    ids = landmark_ids(FIRST_LANDMARK[split], landmarks, seed)
    return rendered(f"{profile}-{seed}-{split}", sizes, ids, views, world, workers)


def landmark_ids(first: int, count: int, seed: int) -> list[int]:
    """Landmarks of a split of a run: ``count`` from ``first`` on, moved by the run's seed.

    Raises:
        ValueError: for a negative seed, whose landmarks would be another split's.
    """
    if seed < 0:
        raise ValueError(f"seed must not be negative, got {seed}")
    return [SEED_STRIDE * seed + first + index for index in range(count)]


def rendered(
    name: str, profile: Profile, landmarks: Sequence[int], views: int, world: World, workers: int | None
) -> ImageSet:
    """The first ``views`` views of these landmarks, from the cache or rendered now.

    An artefact that cannot be read back whole is made again. What an interrupted call had rendered is used
    by the next one.
    """
    size = profile.image_size
    settings = {"landmarks": list(landmarks), "views": views, "size": size, "world": asdict(world)}
    path = artefact_path(f"toytown-{name}", settings, MODULES, ".npz")
    arrays = _read(path)
    if arrays is None:
        with locked(path):
            arrays = _read(path)
            if arrays is None:
                _make(path, name, landmarks, views, world, size, workers)
                arrays = _read(path)
    if arrays is None:
        raise OSError(f"{path} was written and cannot be read back: is the disk full or failing?")
    return ImageSet(
        landmarks=np.repeat(np.array(landmarks, dtype=np.int64), views),
        views=np.tile(np.arange(views, dtype=np.int64), len(landmarks)),
        world=world,
        **arrays,
    )


def _read(path: Path) -> dict[str, NDArray[Any]] | None:
    """Arrays of an artefact, or None where there is none that can be believed; zip checks every byte."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return {field: file[field] for field in FIELDS}
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
        return None


def _make(
    path: Path, name: str, landmarks: Sequence[int], views: int, world: World, size: int, workers: int | None
) -> None:
    """Renders one file per landmark, then joins them into ``path`` and removes them."""
    folder = path.with_suffix(".parts")
    folder.mkdir(parents=True, exist_ok=True)
    parts = {landmark: folder / f"{landmark}.npz" for landmark in landmarks}
    missing = [landmark for landmark, part in parts.items() if _read(part) is None]
    run_jobs(
        _render_part,
        [(parts[landmark], landmark, views, world, size) for landmark in missing],
        title=f"rendering {name}",
        total=views * len(landmarks),
        done=views * (len(landmarks) - len(missing)),
        workers=workers,
    )
    arrays: dict[str, Any] = _joined(list(parts.values()))
    with written_atomically(path) as temporary:
        np.savez(temporary, **arrays)
    shutil.rmtree(folder, ignore_errors=True)  # a worker of a killed call may still be writing its last part


def _render_part(path: Path, landmark: int, views: int, world: World, size: int) -> int:
    """A worker's job: the views of one landmark, written to ``path``; returns how many."""
    renderings = render_landmark(landmark, range(views), world, size)
    visible = np.zeros((views, POINTS), dtype=bool)
    for row, rendering in zip(visible, renderings, strict=True):
        row[rendering.visible] = True
    with written_atomically(path) as temporary:
        np.savez(
            temporary,
            images=np.stack([rendering.image for rendering in renderings]),
            masks=np.stack([rendering.mask for rendering in renderings]),
            visible=visible,
            scales=np.array([rendering.scale for rendering in renderings], dtype=np.float32),
        )
    return views


def _joined(parts: Sequence[Path]) -> dict[str, NDArray[Any]]:
    """The parts' arrays one after the other, each field filled in place: a large split fits only once."""
    joined: dict[str, NDArray[Any]] = {}
    for number, path in enumerate(parts):
        arrays = _read(path)
        if arrays is None:
            raise OSError(f"{path} was written and cannot be read back: is the disk full or failing?")
        for field, array in arrays.items():
            rows = len(array)
            if field not in joined:
                joined[field] = np.empty((rows * len(parts), *array.shape[1:]), dtype=array.dtype)
            joined[field][number * rows : (number + 1) * rows] = array
    return joined
