"""Expected figures against those of a run: structural similarity, and the difference as a picture.

A picture never decides: which photographs a figure shows may hang on the noise of a training.
"""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageOps
from skimage.metrics import structural_similarity

from .expected import Expected, figure_folder
from .pictures import Picture, as_webp, thumbnails
from .runs import Run


@dataclass(frozen=True)
class FigurePair:
    """One figure: small files of what was expected, what came out and where they differ.

    ``similarity`` is 1 for an unchanged picture and None where one of the two can't be drawn.
    """

    chapter: str
    name: str
    similarity: float | None
    expected: bytes | None
    now: bytes | None = None
    difference: bytes | None = None
    note: str = ""


def compare_figures(root: Path, expected: Expected, run: Run) -> list[FigurePair]:
    """A pair for every figure of the run's chapters, the least similar first."""
    pairs = []
    for chapter, found in run.chapters.items():
        known = expected.figures.get(chapter, {})
        changed = [one for one in found.pictures.values() if known.get(one.name) != one.fingerprint]
        now = thumbnails(changed)
        for name in [*found.pictures, *(name for name in known if name not in found.pictures)]:
            file = figure_folder(root, expected.profile) / chapter / f"{name}.webp"
            old = file.read_bytes() if file.is_file() else None
            if name in found.pictures and known.get(name) == found.pictures[name].fingerprint:
                pairs.append(FigurePair(chapter, name, 1.0, old))
            else:
                pairs.append(_pair(chapter, name, old, now.get(name), name in known, name in found.pictures))
    return sorted(pairs, key=lambda pair: (pair.similarity is not None, pair.similarity or 0.0, pair.chapter))


def _pair(
    chapter: str, name: str, old: bytes | None, now: bytes | None, known: bool, found: bool
) -> FigurePair:
    if old is None or now is None:
        note = "new" if not known else "missing" if not found else "changed; without Chromium not drawn"
        return FigurePair(chapter, name, None, old, now, note=note)
    similarity, difference = compare_pictures(old, now)
    return FigurePair(chapter, name, similarity, old, now, difference)


def compare_pictures(old: bytes, now: bytes) -> tuple[float, bytes]:
    """Structural similarity of two picture files, and their difference: white where they agree."""
    first = Image.open(io.BytesIO(old)).convert("RGB")
    second = Image.open(io.BytesIO(now)).convert("RGB").resize(first.size)
    grey = [np.asarray(image.convert("L")) for image in (first, second)]
    similarity = float(structural_similarity(*grey, data_range=255))
    difference = ImageChops.difference(first, second).convert("L").point(lambda x: min(255, 3 * x))
    return similarity, as_webp(ImageOps.invert(difference))


def keep_figures(root: Path, profile: str, chapter: str, pictures: Iterable[Picture]) -> dict[str, str]:
    """Write a chapter's expected figures anew; their fingerprints by name."""
    folder = figure_folder(root, profile) / chapter
    kept = list(pictures)
    small = thumbnails(kept)
    for file in folder.glob("*.webp"):
        if file.stem not in small:
            file.unlink()
    if small:
        folder.mkdir(parents=True, exist_ok=True)
    for name, data in small.items():
        (folder / f"{name}.webp").write_bytes(data)
    return {picture.name: picture.fingerprint for picture in kept}
