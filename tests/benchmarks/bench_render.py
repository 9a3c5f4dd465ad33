"""Rendering, from cold: Toytown beside the prototype that it grew from.

    python tests/benchmarks/bench_render.py [PROTOTYPE]

Each turn starts fresh interpreters, renders the same number of views of the same number of landmarks into
arrays with two processes, and ends. The two take turns, so that whatever else the machine does falls on both;
the ratio is the median of the ratios of neighbouring turns. The processors' own time is given too, which
counts the work and not the waiting. PROTOTYPE is the folder with the prototype's
``world.py``, by default ``../shared/prototype/toytown`` beside the repository.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from recording import record

ROOT = Path(__file__).resolve().parents[2]

PROTOTYPE = """
import sys
sys.path.insert(0, sys.argv[1])
landmarks, views, size = (int(argument) for argument in sys.argv[2:])
import data, world
profile = dict(size=size, train=(landmarks, views), world=dict(world.CONFIG, clutter=(0, 3)))
images = data.render_split("train", profile, procs=2)["image"]
assert images.shape == (landmarks * views, size, size, 3), images.shape
"""

TOYTOWN = """
import sys
from dataclasses import replace
from gem_lite.profiles import get_profile
from gem_lite.toytown.dataset import rendered
from gem_lite.toytown.scene import World
landmarks, views, size = (int(argument) for argument in sys.argv[2:])
profile = replace(get_profile("lite"), image_size=size)
images = rendered("bench", profile, range(20_000, 20_000 + landmarks), views, World(), workers=2).images
assert images.shape == (landmarks * views, size, size, 3), images.shape
"""


def processor_seconds() -> float:
    """What all ended child processes, and theirs, have used of the processors."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def seconds(code: str, arguments: list[str]) -> tuple[float, float]:
    """Wall-clock and processor time of a fresh interpreter that runs this code, with an empty cache."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {
            **os.environ,
            "GEM_LITE_CACHE": cache,
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
            "TQDM_DISABLE": "1",
        }
        begin, used = time.perf_counter(), processor_seconds()
        subprocess.run([sys.executable, "-c", code, *arguments], check=True, env=environment)
        return time.perf_counter() - begin, processor_seconds() - used


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    default = ROOT.parent / "shared" / "prototype" / "toytown"
    parser.add_argument("prototype", nargs="?", type=Path, default=default)
    parser.add_argument("--landmarks", type=int, default=100)
    parser.add_argument("--views", type=int, default=10, help="of each landmark")
    parser.add_argument("--size", type=int, default=96, help="in pixels")
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    if not (options.prototype / "world.py").is_file():
        parser.error(f"no world.py in {options.prototype}: give the prototype's folder")

    images = options.landmarks * options.views
    arguments = [str(options.prototype), str(options.landmarks), str(options.views), str(options.size)]
    print(f"{images} images of {options.size} px, 2 processes, start-up included")
    ratios = []
    for _ in range(options.turns):
        before, now = seconds(PROTOTYPE, arguments), seconds(TOYTOWN, arguments)
        ratios.append([before[0] / now[0], before[1] / now[1]])
        for name, (wall, work) in (("prototype", before), ("Toytown", now)):
            print(
                f"{name:10}{wall:6.1f} s ({images / wall:4.0f} images/s), processors {work:6.1f} s",
                flush=True,
            )
        print(f"{'ratio':10}{ratios[-1][0]:6.2f}{'':27}{ratios[-1][1]:6.2f}")
    wall, work = (statistics.median(column) for column in zip(*ratios, strict=True))
    record("time of the prototype against Toytown, from cold", wall, "x", cpu_ratio=work, images=images)
    print(f"median ratio {wall:.2f}; of the processors' time {work:.2f}")


if __name__ == "__main__":
    main()
