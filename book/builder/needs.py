"""Runs the named steps that stale chapters declare, before any of them starts.

Each chapter would run them itself; doing it first shows their progress bars and keeps two chapters from
waiting for the same artefact.
"""

import os
import sys
from collections.abc import Iterable

from gem_lite.cache import artefact_path, written_atomically
from gem_lite.profiles import PROFILES

from . import processes
from .chapters import Chapter
from .errors import BuildError
from .parameters import Parameters
from .paths import Paths

STEPS_MODULE = "gem_lite.steps"


def run_steps(chapters: Iterable[Chapter], parameters: Parameters, paths: Paths) -> None:
    """Make sure that the artefacts of these chapters lie in the cache; on photographs there are none.

    Starting the steps costs an import of torch even when nothing is to be done. A mark in the cache, under
    the same kind of content hash as the artefacts, says that they were made; it goes when the cache goes.

    Raises:
        BuildError: when a step fails.
    """
    names = list(dict.fromkeys(name for chapter in chapters for name in chapter.needs))
    profile, seed = parameters["profile"], parameters["seed"]
    if not names or profile not in PROFILES:
        return
    marks = {
        name: artefact_path(
            f"{profile}-{seed}-step-{name}", {"profile": profile, "seed": seed}, [STEPS_MODULE], ".done"
        )
        for name in names
    }
    missing = [name for name in names if not marks[name].exists()]
    if not missing:
        return
    print(f"Steps: {', '.join(missing)}", flush=True)
    command = [sys.executable, "-m", STEPS_MODULE, *missing, "--profile", profile, "--seed", str(seed)]
    process = processes.start(command, dict(os.environ), paths.root)
    try:
        status = processes.wait(process)
    finally:
        processes.end_tree(process)
    if status:
        raise BuildError(f"steps {' '.join(missing)} failed with exit code {status}; see above")
    for name in missing:
        with written_atomically(marks[name]) as part:
            part.touch()
