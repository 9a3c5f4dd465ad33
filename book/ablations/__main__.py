"""``python -m book.ablations``: train and measure what one run of the book cannot afford, and record it.

Every finished measurement is kept in the cache and every training goes on after its last whole epoch, so an
interrupted run loses minutes at most: start it again. The record is written when all is measured.
"""

import argparse
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

from gem_lite.cache import written_atomically

from .pictures import draw_pictures, locality
from .plan import SEEDS, jobs
from .record import record
from .running import run

RECORD = Path("tests/expected/ablations.json")
PICTURES = Path("book/assets/recorded")


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m book.ablations", description=__doc__)
    parser.add_argument("--profile", default="lite")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument(
        "--jobs", type=int, default=min(2, os.cpu_count() or 1), help="measurements side by side"
    )
    parser.add_argument("--only", nargs="+", default=[], metavar="KEY", help="for example off/gem tuned/gem")
    parser.add_argument("--out", type=Path, default=RECORD)
    parser.add_argument("--pictures", type=Path, default=PICTURES, help="folder for the recorded figures")
    options = parser.parse_args(arguments)
    todo = [job for job in jobs(tuple(options.seeds)) if not options.only or job.key in options.only]
    if not todo:
        parser.error(f"nothing to measure; keys: {', '.join(dict.fromkeys(job.key for job in jobs((0,))))}")
    started = time.monotonic()
    found = run(todo, options.profile, options.jobs)
    content = record(found, options.profile, time.monotonic() - started)
    if not options.only:
        content["locality"] = locality(options.profile, options.seeds)
        options.pictures.mkdir(parents=True, exist_ok=True)
        draw_pictures(options.profile, options.seeds[0], options.pictures)
    with written_atomically(options.out) as part:
        part.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf8")
    print(f"recorded in {options.out}")


if __name__ == "__main__":
    main()
