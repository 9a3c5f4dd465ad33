"""Runs measurements side by side, each in a process of its own."""

import multiprocessing
import os
import sys
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait

from tqdm.auto import tqdm

from .measure import Found, measured
from .plan import Job


def run(todo: Sequence[Job], profile: str, workers: int) -> dict[Job, Found]:
    """Measures all jobs, ``workers`` at a time, each in a process of its own.

    The next job starts only when a place is free, so that Ctrl-C has no queue to wait for.
    """
    found: dict[Job, Found] = {}
    waiting = list(todo)
    running: dict[Future[Found], Job] = {}
    context = multiprocessing.get_context("spawn")
    with (
        tqdm(total=len(todo), desc="ablations", unit="measurement") as bar,
        ProcessPoolExecutor(workers, mp_context=context, initializer=_quiet) as pool,
    ):
        while waiting or running:
            while waiting and len(running) < workers:
                job = waiting.pop(0)
                running[pool.submit(measured, job, profile)] = job
            bar.set_postfix_str(", ".join(f"{job.key} seed {job.seed}" for job in running.values()))
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                job = running.pop(future)
                found[job] = future.result()
                bar.update()
                tqdm.write(f"  {job.key}, seed {job.seed}", file=sys.stderr)
    return found


def _quiet() -> None:
    """The bars of two processes would write over each other; the outer one says what is running."""
    os.environ["TQDM_DISABLE"] = "1"
