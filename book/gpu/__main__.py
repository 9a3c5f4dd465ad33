"""``python3 -m book.gpu --wheels _wheels --budget 540 --state STATE``: see the package."""

import argparse
import os
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from . import wheels

DONE, FAILED, MORE = 0, 1, 75  # 75 is what mail and batch systems call "try again later"
STARTED = "GEM_LITE_GPU_STARTED"


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 -m book.gpu", description=__doc__)
    parser.add_argument("--wheels", type=Path, help="folder of wheels; none: this Python has them all")
    parser.add_argument("--profile", default="gpu", help="a file of book/profiles (default: gpu)")
    parser.add_argument("--seeds", type=int, default=5, help="how many, from 0 on (default: 5)")
    parser.add_argument("--budget", type=float, default=540, help="seconds for this call (default: 540)")
    parser.add_argument("--state", type=Path, help="folder to go on from, and to pack into what was made")
    parser.add_argument("--only", nargs="+", default=[], metavar="CHAPTER", help="these chapters alone")
    parser.add_argument("--reason", default="first run of this profile", help="kept with the expectations")
    parser.add_argument("--bring-back", action="store_true", help="only unpack the state into this checkout")
    parser.add_argument("--root", type=Path, default=Path(), help="the checkout (default: here)")
    return parser.parse_args(arguments)


def start_again(options: argparse.Namespace, words: Sequence[str]) -> None:
    """Unpack the wheels and start this program anew, with all that it needs on its path."""
    root = options.root.resolve()
    site = wheels.unpack(options.wheels, root / "_build" / "site")
    search = [str(root), str(site), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {
        "OMP_WAIT_POLICY": "passive",
        "GOMP_SPINCOUNT": "0",
        "GEM_LITE_CACHE": str(root / ".cache"),
        **os.environ,
        "PYTHONPATH": os.pathsep.join(search),
        STARTED: str(time.time()),
    }
    os.execve(sys.executable, [sys.executable, "-m", "book.gpu", *words], environment)


def run(options: argparse.Namespace) -> int:
    """All that can be done in the budget; says what is left."""
    # Only now: before the wheels are unpacked there is nothing to import.
    from book.builder import interrupts
    from book.builder.errors import BuildError
    from gem_lite.cache import cache_dir

    from . import state
    from .work import Work, limit, summary

    root = options.root.resolve()
    work = Work(root, options.profile, tuple(range(options.seeds)), tuple(options.only))
    if options.state and (count := state.unpack(options.state, root)):
        _move_into_cache(root, cache_dir())
        print(f"{count} files of an earlier call, from {options.state}", flush=True)
    if options.bring_back:
        return DONE
    interrupts.listen()
    limit(options.budget - (time.time() - float(os.environ.get(STARTED, time.time()))))
    before, status = work.progress(), DONE
    try:
        work.do()
        print(f"\nWritten: {work.accept(options.reason)}")
    except interrupts.OutOfTime:
        status = MORE
    except interrupts.Interrupted as interrupt:
        status = 128 + interrupt.number
    except BuildError as error:
        print(f"\n{error}", file=sys.stderr)
        status = FAILED
    if options.state:
        parts = state.pack(options.state, work.entries())
        size = sum(part.stat().st_size for part in parts) / 1e6
        print(f"State: {len(parts)} files, {size:.1f} MB, in {options.state}")
    if status == DONE:
        print("All is done.")
        return status
    print("\nLeft:", *summary(work), sep="\n  ")
    if status == MORE and work.progress() == before:
        print(f"\nNothing has got on in {options.budget:g} s: give a larger --budget.", file=sys.stderr)
        return FAILED
    return status


def _move_into_cache(root: Path, cache: Path) -> None:
    """What the state carries of the cache belongs where this machine keeps its artefacts."""
    carried = root / "_build" / "carried"
    if carried.is_dir():
        shutil.copytree(carried, cache, dirs_exist_ok=True)
        shutil.rmtree(carried)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 all done, 75 call again, 1 failed, 128 + the signal's number if interrupted."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = _arguments(words)
    if options.wheels and STARTED not in os.environ:
        start_again(options, words)
    return run(options)


if __name__ == "__main__":
    sys.exit(main())
