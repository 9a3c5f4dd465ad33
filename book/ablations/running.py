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
    # The bars of two processes would write over each other; ours, already imported, does not look again.
    os.environ.update(TQDM_DISABLE="1", OMP_NUM_THREADS="1")
    context = multiprocessing.get_context("spawn")
    with (
        tqdm(total=len(todo), desc="ablations", unit="measurement") as bar,
        ProcessPoolExecutor(workers, mp_context=context) as pool,
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
