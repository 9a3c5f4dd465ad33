"""Where a run lies: a folder with a name that says what differs from the book."""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from book.builder.chapters import Chapter
from book.builder.parameters import Parameters
from book.builder.paths import Paths

LONGEST_NAME = 80
UNSAFE = re.compile(r"[^\w.,=+-]+")


@dataclass(frozen=True)
class RunPaths(Paths):
    """The folders of one run, all of them within ``_build/runs/<chapter>``."""

    chapter: str = ""
    run: str = ""

    @property
    def build(self) -> Path:
        return self.root / "_build" / "runs" / self.chapter

    @property
    def executed(self) -> Path:
        return self.build / self.run

    @property
    def failed(self) -> Path:
        return self.executed / "failed"

    @property
    def running(self) -> Path:
        return self.build / "running"


def run_name(chapter: Chapter, parameters: Parameters) -> str:
    """Profile, seed, and whatever else is not as in the chapter's parameters cell.

    The same parameters always give the same name, however they were asked for.
    """
    parts = [str(parameters["profile"]), f"seed={parameters['seed']}"]
    own = chapter.parameters
    others = sorted(name for name in parameters if name not in ("profile", "seed"))
    parts += [f"{name}={shown(parameters[name])}" for name in others if parameters[name] != own[name]]
    return file_name("_".join(parts), parameters)


def shown(value: Any) -> str:
    """A value as names, tables and plots write it."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def file_name(text: str, content: Any) -> str:
    """The text if it can be a file's name as it is; else as much of it as can, and a hash of the content."""
    safe = UNSAFE.sub("-", text)[:LONGEST_NAME]
    if safe == text:
        return text
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:8]
    return f"{safe}-{digest}"
