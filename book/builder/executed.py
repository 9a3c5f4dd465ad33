"""Executed chapters and their records: what is still good, and how it was made."""

import hashlib
import importlib.metadata
import json
import platform
import shutil
import subprocess
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gem_lite.cache import NUMERIC_LIBRARIES, written_atomically

from .parameters import Parameters
from .paths import Paths
from .processes import cores

SHOWN_VERSIONS = (*NUMERIC_LIBRARIES, "scikit-learn", "torchvision", "matplotlib")


@dataclass(frozen=True)
class ExecutionRecord:
    """How an executed chapter was made; kept as JSON beside it."""

    chapter: str
    key: str
    notebook_sha256: str
    seconds: float
    finished: str  # UTC
    parameters: dict[str, Any]
    versions: dict[str, str]
    hardware: dict[str, Any]


def notebook_file(paths: Paths, chapter: str) -> Path:
    """The executed copy."""
    return paths.executed / f"{chapter}.ipynb"


def read_record(paths: Paths, chapter: str) -> ExecutionRecord | None:
    """The record of the last execution that went well, or None."""
    try:
        text = (paths.executed / f"{chapter}.json").read_text(encoding="utf8")
        return ExecutionRecord(**json.loads(text))
    except (FileNotFoundError, ValueError, TypeError):  # TypeError: written by another version of this file
        return None


def is_current(paths: Paths, chapter: str, key: str) -> bool:
    """Whether the executed copy is what this key would give, and is as it was written."""
    record = read_record(paths, chapter)
    file = notebook_file(paths, chapter)
    return (
        record is not None
        and record.key == key
        and file.is_file()
        and _sha256(file.read_bytes()) == record.notebook_sha256
    )


def keep(paths: Paths, chapter: str, key: str, made: Path, parameters: Parameters, seconds: float) -> None:
    """Move a freshly executed notebook to its place and write its record."""
    content = made.read_bytes()
    record = ExecutionRecord(
        chapter,
        key,
        _sha256(content),
        round(seconds, 2),
        datetime.now(UTC).isoformat(timespec="seconds"),
        parameters,
        versions(),
        hardware(),
    )
    with written_atomically(notebook_file(paths, chapter)) as part:
        part.write_bytes(content)
    with written_atomically(paths.executed / f"{chapter}.json") as part:
        part.write_text(json.dumps(asdict(record), indent=1, sort_keys=True) + "\n", encoding="utf8")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in SHOWN_VERSIONS:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def hardware() -> dict[str, Any]:
    return {
        "system": platform.system(),
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": cores(),
        "gpu": _gpus(),
    }


def _processor() -> str:
    """The processor's name; ``platform.processor()`` is empty or only the architecture on Linux."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _gpus() -> list[str]:
    if shutil.which("nvidia-smi") is None:
        return []
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    listing = subprocess.run(command, capture_output=True, text=True, check=False)
    return listing.stdout.split("\n")[:-1] if listing.returncode == 0 else []
