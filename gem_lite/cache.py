"""What was computed once is kept on disk, under a name that says exactly what it was computed from.

An artefact's file name carries a hash of its settings, of every project source file that its code
imports (directly or through another one), and of the versions of the libraries that make its numbers.
A time stamp decides nothing. Files are written beside their place and renamed, so that a killed process
never leaves half a file under a good name.
"""

import ast
import contextlib
import hashlib
import importlib.metadata
import importlib.util
import json
import os
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from filelock import FileLock

OWN_PACKAGES = ("gem_lite", "figures")
NUMERIC_LIBRARIES = ("numpy", "scipy", "opencv-python-headless", "torch")
# Files that are not Python but are part of a module's behaviour.
COMPANIONS = (".js", ".css", ".mplstyle")


def cache_dir() -> Path:
    """Folder of all artefacts: ``$GEM_LITE_CACHE``, else ``gem_lite`` in the user's cache folder."""
    if "GEM_LITE_CACHE" in os.environ:
        return Path(os.environ["GEM_LITE_CACHE"]).expanduser().resolve()
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "gem_lite"


@cache  # a file that many chapters import is read for each of them, but taken apart once
def imported_names(source: str, package: str = "") -> frozenset[str]:
    """Dotted names of the project's own modules that a piece of Python source may import.

    ``from a.b import c`` gives both ``a.b`` and ``a.b.c``: whether ``c`` is a module is decided by whoever
    looks for its file. ``package`` resolves relative imports.
    """
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, base] if base else parents)
            names.add(base)
            names.update(f"{base}.{alias.name}" for alias in node.names)
    return frozenset(name for name in names if name.split(".")[0] in OWN_PACKAGES)


@cache
def _package_folder(package: str) -> Path | None:
    """Folder of one of the project's own top-level packages; nothing is imported to find it."""
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else None


def _module_file(name: str) -> Path | None:
    package, *rest = name.split(".")
    folder = _package_folder(package)
    if folder is None:
        return None
    stem = folder.joinpath(*rest)
    candidates = (stem / "__init__.py", stem.with_suffix(".py"))
    return next((path for path in candidates if path.is_file()), None)


def source_closure(modules: Iterable[str]) -> list[Path]:
    """Files of these modules and of every project module they import, with their companions, sorted.

    The packages that a module lies in are counted too, but what those import for their users' convenience is
    not followed: it is not what the module computes with.
    """
    files: dict[str, Path] = {}
    parents: set[Path] = set()
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name in files or (path := _module_file(name)) is None:
            continue
        files[name] = path
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        outer = (name.rsplit(".", depth)[0] for depth in range(1, name.count(".") + 1))
        parents.update(found for parent in outer if (found := _module_file(parent)))
        waiting += imported_names(path.read_text(encoding="utf8"), package)
    companions = {
        other for path in files.values() for other in path.parent.iterdir() if other.suffix in COMPANIONS
    }
    return sorted(set(files.values()) | parents | companions)


@cache
def source_hash(*modules: str) -> str:
    """Hash of the text of everything in `source_closure`."""
    digest = hashlib.sha256()
    for path in source_closure(modules):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


@cache
def library_versions() -> dict[str, str]:
    """Versions of the libraries that an artefact's numbers depend on."""
    return {name: importlib.metadata.version(name) for name in NUMERIC_LIBRARIES}


def artefact_path(name: str, settings: dict[str, Any], modules: Iterable[str], suffix: str) -> Path:
    """Where the artefact with this name, these settings and this code lies, or would lie.

    Args:
        name: readable part of the file name, for example ``"lite-0-train"``.
        settings: everything else that decides the content; must be JSON.
        modules: modules whose source, with all they import, decides the content.
        suffix: of the file, with the dot.
    """
    content = {
        "settings": settings,
        "source": source_hash(*sorted(modules)),
        "libraries": library_versions(),
    }
    key = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
    return cache_dir() / f"{name}-{key}{suffix}"


@contextlib.contextmanager
def written_atomically(path: Path) -> Iterator[Path]:
    """Gives a temporary path; when the block ends well it becomes ``path``, otherwise it is removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Only one process at a time makes ``path``: the second waits, then finds it made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock")):
        yield


def made_once(path: Path, whole: Callable[[], bool], make: Callable[[], None]) -> None:
    """Makes an artefact unless it is there whole, in one process at a time.

    Args:
        path: of the artefact, which names the lock.
        whole: whether the artefact can be read back; a damaged one is made again, not believed.
        make: writes it.
    """
    if whole():
        return
    with locked(path):
        if not whole():
            make()
