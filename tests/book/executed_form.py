"""What an executed chapter must keep to, and what a chapter reports."""

import ast
import re
from collections.abc import Callable, Iterator
from typing import Any

from chapter_form import lacking_in_figure, python, tags
from prose import glued

Notebook = Any
Rule = Callable[[Notebook], Iterator[str]]


def reported_names(notebook: Notebook) -> list[str]:
    """Names given to ``report``, as regular expressions: what an f-string inserts matches any name."""
    found = []
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        for node in ast.walk(python(cell)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "report" and node.args:
                found.append(_pattern(node.args[0]))
    return found


def _pattern(name: ast.expr) -> str:
    """Regular expression of an expression: constants stand for themselves, the rest for any name."""
    if isinstance(name, ast.Constant):
        return re.escape(str(name.value))
    if isinstance(name, ast.JoinedStr):
        return "".join(_pattern(part) for part in name.values)
    return r"\w+"


def outputs(notebook: Notebook) -> Iterator[tuple[int, Any, Any]]:
    """Position, cell and output of every output. The position is that in the author's notebook, from 1."""
    position = 0
    for cell in notebook.cells:
        if "injected-parameters" in tags(cell):
            continue
        position += 1
        for output in cell.get("outputs", []):
            yield position, cell, output


def pictures_described(notebook: Notebook) -> Iterator[str]:
    """Where an output has an HTML form the page shows that; its pictures are checked in the page itself."""
    for position, cell, output in outputs(notebook):
        kinds = output.get("data", {}).keys()
        is_picture = "text/html" not in kinds and any(kind.startswith("image/") for kind in kinds)
        lacking = lacking_in_figure(cell) if is_picture else []
        if lacking and not tags(cell) & {"remove-cell", "remove-output"}:
            yield f"cell {position} shows a picture without {', '.join(lacking)}"


def nothing_on_stderr(notebook: Notebook) -> Iterator[str]:
    for position, _, output in outputs(notebook):
        if output.get("name") == "stderr":
            yield f"cell {position} wrote to stderr: {output.text.strip()[:200]}"


def no_errors(notebook: Notebook) -> Iterator[str]:
    for position, _, output in outputs(notebook):
        if output.output_type == "error":
            yield f"cell {position} raised {output.ename}: {output.evalue}"


def own_results_pasted(notebook: Notebook) -> Iterator[str]:
    found = [output for _, _, output in outputs(notebook) if _is_report(output)]
    reported = [output.metadata["scrapbook"]["name"] for output in found]
    for position, cell in enumerate(notebook.cells, 1):
        if cell.cell_type == "markdown":
            missing = [key for page, key in glued(cell.source) if page is None and key not in reported]
            yield from (f"cell {position} pastes {key!r}, which was not reported" for key in missing)


def _is_report(output: Any) -> bool:
    return {"scrapbook", "gem_lite"} <= set(output.get("metadata", {}))


RULES: tuple[Rule, ...] = (pictures_described, nothing_on_stderr, no_errors, own_results_pasted)


def problems(notebook: Notebook) -> list[str]:
    """All that is wrong with an executed chapter."""
    return [problem for rule in RULES for problem in rule(notebook)]
