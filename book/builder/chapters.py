"""The chapters in the order of the table of contents, and the key that says what an execution depends on."""

import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import nbformat
import yaml
from IPython.core.inputtransformer2 import TransformerManager

from gem_lite.cache import imported_names, source_hash

from .errors import BuildError
from .parameters import Parameters, literals

LOCK = "requirements.lock"


@dataclass(frozen=True)
class Chapter:
    """One notebook of the book."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.stem

    @cached_property
    def notebook(self) -> Any:
        return nbformat.read(self.path, as_version=4)

    @property
    def needs(self) -> list[str]:
        """The named steps that the chapter declares in its metadata."""
        return list(self.notebook.metadata.get("gem_lite", {}).get("needs", []))

    @property
    def real_data(self) -> bool:
        """Whether it can be executed on photographs, as its metadata declare."""
        return bool(self.notebook.metadata.get("gem_lite", {}).get("real_data", False))

    @cached_property
    def parameters(self) -> Parameters:
        """The literals of its parameters cell.

        Raises:
            BuildError: when there is not exactly one such cell, or it holds something else.
        """
        cells = [cell for cell in self.notebook.cells if "parameters" in cell.metadata.get("tags", [])]
        if len(cells) != 1:
            raise BuildError(f"{self.path} has {len(cells)} cells tagged 'parameters'; it needs exactly one")
        try:
            return literals(cells[0].source)
        except (SyntaxError, ValueError) as error:
            raise BuildError(f"{self.path}, parameters cell: {error}") from None

    @property
    def code(self) -> str:
        """All its code as plain Python: notebook magics become function calls."""
        sources = [cell.source for cell in self.notebook.cells if cell.cell_type == "code"]
        return "\n".join(TransformerManager().transform_cell(source) for source in sources)

    def imports(self) -> frozenset[str]:
        """The project's modules that the chapter may import.

        Raises:
            BuildError: when the code is not Python.
        """
        try:
            return imported_names(self.code)
        except SyntaxError as error:
            raise BuildError(f"{self.path}: {error.msg}: {(error.text or '').strip()!r}") from None

    def source_digest(self) -> str:
        """Hash of the cells and the metadata; outputs, execution counts and cell ids decide nothing."""
        cells = [[cell.cell_type, cell.source, cell.metadata] for cell in self.notebook.cells]
        return _digest([cells, self.notebook.metadata])


def execution_key(chapter: Chapter, parameters: Parameters, root: Path) -> str:
    """Hash of all that decides what an execution of the chapter gives.

    An artefact is a function of its settings and of the code that makes it; that code is among what the
    chapter imports. Only files that a parameter points to come from outside and are read here.
    """
    content = {
        "source": chapter.source_digest(),
        "imports": source_hash(*sorted(chapter.imports())),
        "parameters": parameters,
        "files": dict(_pointed_to(parameters, chapter.path.parent)),
        "lock": _file_digest(root / LOCK) if (root / LOCK).is_file() else "",
        "python": list(sys.version_info[:2]),
    }
    return _digest(content)


def pages(toc: Path) -> list[Path]:
    """Files of all pages, in the order of the table of contents.

    Raises:
        BuildError: for an entry without a file, or a page that is listed twice.
    """
    found: list[Path] = []
    for name in _entries(yaml.safe_load(toc.read_text(encoding="utf8"))):
        candidates = [toc.parent / f"{name}{suffix}" for suffix in (".ipynb", ".md")]
        existing = [path for path in candidates if path.is_file()]
        if not existing:
            raise BuildError(f"{toc} lists {name!r}, but there is no {name}.ipynb or {name}.md")
        if existing[0] in found:
            raise BuildError(f"{toc} lists {name!r} twice")
        found.append(existing[0])
    return found


def only(chapters: Sequence[Chapter], names: Sequence[str] | None) -> list[Chapter]:
    """The chapters of these names, in the order of the table of contents; all where none is named.

    Raises:
        BuildError: for a name that is not in the table of contents.
    """
    known = [chapter.name for chapter in chapters]
    unknown = sorted(set(names or ()) - set(known))
    if unknown:
        raise BuildError(f"no chapter {', '.join(unknown)}; known: {', '.join(known)}")
    return [chapter for chapter in chapters if not names or chapter.name in names]


def _entries(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _entries(item)
    elif isinstance(node, dict):
        yield from (node[key] for key in ("root", "file") if key in node)
        for value in node.values():
            yield from _entries(value)


def _pointed_to(parameters: Parameters, base: Path) -> Iterator[tuple[str, str]]:
    """For each parameter that names an existing file or folder: its name and the hash of what is there."""
    for name, value in parameters.items():
        if not isinstance(value, str) or not value:
            continue
        path = base / Path(value).expanduser()
        if path.is_file():
            yield name, _file_digest(path)
        elif path.is_dir():
            files = sorted(file for file in path.rglob("*") if file.is_file())
            yield name, _digest([[file.relative_to(path).as_posix(), _file_digest(file)] for file in files])


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
