"""Opening every picture once, on all cores, before something long depends on them."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from gem_lite.images import ImageError, read_image


def unreadable(
    paths: Sequence[Path], workers: int | None = None, progress: bool = True
) -> dict[int, ImageError]:
    """Which pictures cannot be read, and why; each is decoded whole.

    Args:
        paths: of the pictures.
        workers: threads; by default one per core.
        progress: shows a bar.

    Returns:
        The error of each bad picture, by its position.
    """

    def trouble(path: Path) -> ImageError | None:
        try:
            read_image(path)
        except ImageError as error:
            return error
        return None

    silent: dict[str, Any] = {} if progress else {"disable": True}
    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        found = tqdm(pool.map(trouble, paths), total=len(paths), desc="checking", unit="image", **silent)
        return {row: error for row, error in enumerate(found) if error is not None}
