"""The same work on many landmarks, in several processes, with one progress bar that counts images.

A job writes its own result to disk, beside its place and then renamed; nothing large travels between the
processes, and whoever is interrupted continues where it stopped.
"""

from collections.abc import Callable, Sequence
from typing import Any

from tqdm.auto import tqdm

# An idle worker leaves soon, also when the process that started it was killed.
IDLE_SECONDS = 5


def usable_cores() -> int:
    """Cores that this process may use: affinity and the container's limit count, not the machine's size."""
    import joblib  # type: ignore[import-untyped]  # needed only when something is made, and slow to import

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


def _results(function: Callable[..., int], jobs: Sequence[tuple[Any, ...]], workers: int | None) -> Any:
    if workers == 1 or len(jobs) <= 1:
        return (function(*job) for job in jobs)
    from joblib import Parallel, delayed, parallel_config

    count = min(workers or usable_cores(), len(jobs))
    if count == 1:
        return (function(*job) for job in jobs)
    with parallel_config(backend="loky", idle_worker_timeout=IDLE_SECONDS):
        pool = Parallel(n_jobs=count, batch_size=1, return_as="generator_unordered")
    return pool(delayed(function)(*job) for job in jobs)
