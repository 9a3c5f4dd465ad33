"""The same work on many landmarks, in several processes, with one progress bar that counts images.

A job writes its own result to disk, beside its place and then renamed; nothing large travels between the
processes, and whoever is interrupted continues where it stopped.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, TypeVar

from tqdm.auto import tqdm

Result = TypeVar("Result")
IDLE_SECONDS = 5  # then a worker without work ends


def usable_cores() -> int:
    """Cores that this process may use: affinity and the container's limit count, not the machine's size."""
    import joblib  # needed only when something is made, and slow to import

    return int(joblib.cpu_count())


def run_jobs(
    function: Callable[..., int],
    jobs: Sequence[tuple[Any, ...]],
    *,
    title: str,
    total: int,
    done: int = 0,
    workers: int | None = None,
) -> None:
    """Calls ``function(*job)`` for every job; each call returns how many images it made.

    The workers are fresh interpreters (joblib's loky), neither forked nor re-importing the caller's main
    module: this works in a plain script, in a notebook whose kernel has loaded torch, and in a test.

    Args:
        function: importable by name; must write its result itself, atomically.
        jobs: positional arguments of each call.
        title: in front of the progress bar.
        total: images that the bar counts up to.
        done: images that exist already.
        workers: processes; 1 works in this one; None takes every usable core.

    Raises:
        ValueError: for fewer than one worker.
        Exception: whatever a job raised, when it raised it.
    """
    if workers is not None and workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers}")
    with tqdm(total=total, initial=done, desc=title, unit="image") as progress:
        for made in _results(function, jobs, workers):
            progress.update(made)


def _results(
    function: Callable[..., int], jobs: Sequence[tuple[Any, ...]], workers: int | None
) -> Iterator[int]:
    count = min(workers or usable_cores(), len(jobs))
    if count <= 1:
        return (function(*job) for job in jobs)
    from joblib import Parallel, delayed, parallel_config

    with parallel_config(backend="loky", idle_worker_timeout=IDLE_SECONDS):
        pool = Parallel(count, batch_size=1, max_nbytes=None, return_as="generator_unordered")
    results: Iterator[int] = pool(delayed(_in_worker)(function, job) for job in jobs)
    return results


def all_results(
    function: Callable[..., Result], jobs: Sequence[tuple[Any, ...]], workers: int
) -> list[Result]:
    """``function(*job)`` for every job, in their order, by that many processes; 1 works in this one.

    Large arrays among the arguments are shared by memory-mapping, once, however many jobs name them.
    """
    if workers <= 1:
        return [function(*job) for job in jobs]
    from joblib import Parallel, delayed, parallel_config

    with parallel_config(backend="loky", idle_worker_timeout=IDLE_SECONDS):
        pool = Parallel(workers, batch_size=1)
    results: list[Result] = pool(delayed(_in_worker)(function, job) for job in jobs)
    return results


def _in_worker(function: Callable[..., Result], job: tuple[Any, ...]) -> Result:
    end_with_parent()
    return function(*job)


@cache
def end_with_parent() -> None:
    """Once per process: watches for the parent's death, which a worker would outlive for ever."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
