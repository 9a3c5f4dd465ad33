"""Toytown: a procedural town of landmarks, seen through clutter, with what structure from motion would know.

`load` gives the splits that may be trained and tuned on; `load_test` is the only door to the test split.
"""

import importlib
from typing import Any

from gem_lite.toytown.dataset import ImageSet, load
from gem_lite.toytown.scene import World

__all__ = ["ImageSet", "TestSet", "World", "load", "load_test"]


def __getattr__(name: str) -> Any:
    """Imports the test split's module only when somebody asks for it: a test watches who does."""
    if name in ("load_test", "TestSet"):
        return getattr(importlib.import_module("gem_lite.toytown.held_out"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
