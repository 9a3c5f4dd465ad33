"""Reading pictures ahead of the network, and putting those of one shape together."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from gem_lite.images import ImageError, UInt8Array

ErrorHandler = Callable[[int, ImageError], None]
# What goes through the network at once, and what may wait for company of its own shape, both in pixels.
BATCH_PIXELS = 2**21
WAITING_PIXELS = 2**26


def read_ahead(
    prepare: Callable[[int], UInt8Array], count: int, workers: int
) -> Iterator[tuple[int, Callable[[], UInt8Array]]]:
    """Each row with a function that gives its pixels or raises, while threads already read the next ones.

    Args:
        prepare: from the row to its pixels.
        count: of rows.
        workers: threads; without any, pictures are read one by one as they are asked for.
    """
    if workers < 1:
        yield from ((row, lambda row=row: prepare(row)) for row in range(count))
        return
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[UInt8Array]] = deque()
        submitted = 0
        for row in range(count):
            while submitted < min(row + 4 * workers, count):
                waiting.append(pool.submit(prepare, submitted))
                submitted += 1
            yield row, waiting.popleft().result


def readable(
    read: Iterable[tuple[int, Callable[[], UInt8Array]]],
    errors: dict[int, ImageError],
    on_error: str | ErrorHandler,
) -> Iterator[tuple[int, UInt8Array]]:
    """The pictures that can be read; of the others the error is kept, and `on_error` says what then.

    Raises:
        ImageError: of the first picture that cannot be read, if `on_error` is "raise".
        ValueError: if `on_error` is neither "raise", "skip" nor a function.
    """
    if on_error not in ("raise", "skip") and not callable(on_error):
        raise ValueError(f"on_error must be 'raise', 'skip' or a function, not {on_error!r}")
    for row, pixels in read:
        try:
            yield row, pixels()
        except ImageError as error:
            refuse(row, error, errors, on_error)


def refuse(row: int, error: ImageError, errors: dict[int, ImageError], on_error: str | ErrorHandler) -> None:
    """Keeps the error of one picture, or raises it, as `on_error` says."""
    if on_error == "raise":
        raise error
    errors[row] = error
    if callable(on_error):
        on_error(row, error)


def batches_of_one_shape(
    pictures: Iterable[tuple[int, UInt8Array]], batch_size: int | None
) -> Iterator[tuple[list[int], UInt8Array]]:
    """Pictures of one shape together, in bounded memory: when too many wait, the largest group goes early.

    Args:
        pictures: rows and their pixels (H, W, 3).
        batch_size: pictures in a batch; by default as many as make `BATCH_PIXELS`, at most 64.

    Yields:
        Rows and their pixels (B, H, W, 3).
    """
    groups: dict[tuple[int, ...], list[tuple[int, UInt8Array]]] = {}
    waiting = 0
    for row, pixels in pictures:
        height, width, _ = pixels.shape
        group = groups.setdefault(pixels.shape, [])
        group.append((row, pixels))
        waiting += height * width
        if len(group) >= (batch_size or min(64, max(1, BATCH_PIXELS // (height * width)))):
            ready = pixels.shape
        elif waiting > WAITING_PIXELS:
            ready = max(groups, key=lambda shape: len(groups[shape]) * shape[0] * shape[1])
        else:
            continue
        waiting -= len(groups[ready]) * ready[0] * ready[1]
        yield _stacked(groups.pop(ready))
    for group in groups.values():
        yield _stacked(group)


def _stacked(group: list[tuple[int, UInt8Array]]) -> tuple[list[int], UInt8Array]:
    rows, pixels = zip(*group, strict=True)
    return list(rows), np.stack(pixels)
