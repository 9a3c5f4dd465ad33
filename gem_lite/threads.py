"""A fixed number of threads: the same sums in the same order, however many cores a machine has."""

import contextlib
from collections.abc import Iterator

import torch


@contextlib.contextmanager
def fixed_threads(count: int) -> Iterator[None]:
    """Lets torch compute with this many threads inside the block, whatever ``OMP_NUM_THREADS`` says.

    Another number of threads splits sums differently. Rounding alone then moves a trained network, and with
    it its mAP by a point or so.

    >>> with fixed_threads(1):
    ...     torch.get_num_threads()
    1
    """
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
