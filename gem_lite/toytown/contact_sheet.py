"""One picture with many small ones, for people who would rather look."""

from pathlib import Path

import numpy as np
from PIL import Image

from gem_lite.cache import written_atomically
from gem_lite.toytown.dataset import load

ROWS, COLUMNS = 12, 10


def contact_sheet(
    path: Path | str, profile: str = "lite", seed: int = 0, split: str = "train", workers: int | None = None
) -> None:
    """Writes a picture with a row per landmark of a split, at most 12 landmarks and 10 views of each.

    The format follows from the path's suffix. Chapter: 02_toytown.
    """
    images = load(profile, seed, split, workers=workers)
    rows = [images.images[images.landmarks == landmark] for landmark in np.unique(images.landmarks)[:ROWS]]
    sheet = np.concatenate([np.concatenate(list(row[:COLUMNS]), axis=1) for row in rows])
    with written_atomically(Path(path)) as temporary:
        Image.fromarray(sheet).save(temporary)
