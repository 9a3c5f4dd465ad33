"""Lays out what Jupyter Book reads: the plain pages, and the executed chapters made fit for print."""

import shutil
from collections.abc import Iterable
from typing import Any

import nbformat

from . import claims_table, executed, status
from .chapters import Chapter
from .homes import home, with_note
from .paths import Paths
from .rendering import CONFIG
from .repository import Repository, repository

NOT_STAGED = shutil.ignore_patterns(
    *("*.ipynb", "*.py", "ablations", "builder", "gpu", "regress", "runs", "profiles"),
    *("claims.yml", "readme.jpg", "__pycache__", ".*"),
)
EXECUTION_METADATA = ("papermill", "execution", "widgets")
WIDGET = "application/vnd.jupyter.widget-view+json"


def stage(chapters: Iterable[Chapter], paths: Paths) -> None:
    """Make ``_build/src`` anew: nothing of an earlier build is left in it."""
    shutil.rmtree(paths.staged, ignore_errors=True)
    shutil.copytree(paths.book, paths.staged, ignore=NOT_STAGED)
    place = repository(paths.root / CONFIG)
    chapters = list(chapters)
    for chapter in chapters:
        file = executed.notebook_file(home(chapter, paths), chapter.name)
        notebook = with_note(nbformat.read(file, as_version=4), chapter, paths)
        nbformat.write(with_links(fit_for_print(notebook), place), paths.staged / chapter.path.name)
    status.write(chapters, paths)
    claims_table.write(chapters, paths)


def fit_for_print(notebook: Any) -> Any:
    """The executed notebook without the traces of its execution.

    The cell that papermill injected is hidden; time stamps go, so that equal results give equal files. Widget
    state goes because with it every page would load a widget manager from another host: a widget's page form
    is the HTML that it shows beside. What shows nothing beside is a bar that has ended, and goes too:
    in a cell that draws a figure it would be a second one of the same name.
    """
    for cell in notebook.cells:
        if "outputs" in cell:
            cell.outputs = [
                output for output in cell.outputs if set(output.get("data", {})) - {"text/plain"} != {WIDGET}
            ]
        tags = cell.metadata.get("tags", [])
        if "injected-parameters" in tags:
            cell.metadata["tags"] = [*tags, "remove-cell"]
        for name in EXECUTION_METADATA:
            cell.metadata.pop(name, None)
    for name in EXECUTION_METADATA:
        notebook.metadata.pop(name, None)
    return notebook


def with_links(notebook: Any, place: Repository | None) -> Any:
    """The notebook, in which source that `figures.source` shows links to its lines in the repository."""
    if place is None:
        return notebook
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            shown = output.get("metadata", {}).get("text/markdown", {}).get("shown_source", [])
            plain = "; ".join(phrase for phrase, *_ in shown)
            linked = "; ".join(f"[{phrase}]({place.file(*lines)})" for phrase, *lines in shown)
            if shown:
                output.data["text/markdown"] = linked.join(output.data["text/markdown"].rsplit(plain, 1))
    return notebook
