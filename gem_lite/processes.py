"""The processes that ``torchrun`` starts: which of them this is, and how they tell each other things.

Outside ``torchrun`` everything here says that there is one process, so that the same script runs either way.
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist

# A process waits so long for another, which may be validating, before it takes it for dead.
PATIENCE = timedelta(hours=2)


@dataclass(frozen=True)
class Processes:
    """Which process this is, of how many, and the device it computes on."""

    rank: int
    count: int
    device: torch.device


@contextlib.contextmanager
def processes(device: torch.device | str | None = None) -> Iterator[Processes]:
    """Joins the processes of ``torchrun``, and leaves them at the end; without ``torchrun``, one process.

    NCCL connects GPUs, gloo everything else.

    Args:
        device: to compute on; by default the GPU of this process's number on its machine, or the CPU.

    >>> with processes("cpu") as here:
    ...     print(here.rank, here.count)
    0 1

    Chapter: 13_going_large.
    """
    gpu = f"cuda:{os.environ.get('LOCAL_RANK', 0)}"
    own = torch.device(device or (gpu if torch.cuda.is_available() else "cpu"))
    if own.type == "cuda":
        torch.cuda.set_device(own)
    if "TORCHELASTIC_RUN_ID" not in os.environ or dist.is_initialized():
        yield Processes(*rank_and_count(), own)
        return
    dist.init_process_group("nccl" if own.type == "cuda" else "gloo", timeout=PATIENCE)
    try:
        yield Processes(*rank_and_count(), own)
    finally:
        dist.destroy_process_group()


def rank_and_count() -> tuple[int, int]:
    """Number of this process, and how many there are."""
    return (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)


def gathered(value: Any) -> list[Any]:
    """What each process has here, in the order of their ranks, in every process; they wait for each other."""
    if not dist.is_initialized():
        return [value]
    values: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(values, value)
    return values


@contextlib.contextmanager
def failing_together(doing: str) -> Iterator[None]:
    """A block that every process runs: if it fails in one, it fails in all.

    Otherwise the others would wait at the next meeting until their patience ends.

    Args:
        doing: what is tried, for the message.

    Raises:
        Exception: this process's own error, as it was raised, or
        RuntimeError: in the others, that says which process failed and why.
    """
    error: Exception | None = None
    try:
        yield
    except Exception as own:
        error = own
    told = gathered(None if error is None else f"{type(error).__name__}: {error}")
    if error is not None:
        raise error
    for rank, text in enumerate(told):
        if text is not None:
            raise RuntimeError(f"process {rank} of {len(told)} failed, {doing}: {text}")
