"""The form that every chapter keeps, as rules: a rule takes a notebook and says what is wrong with it.

`test_chapter_form.py` shows each rule a notebook that breaks it; `test_chapters.py` shows them the chapters.
"""

import ast
import re
import statistics
from collections.abc import Callable, Iterator
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager
from prose import typed_numbers, words

from book.builder.parameters import literals
from book.builder.repository import SETUP_TAG

Notebook = Any  # nbformat's nodes are dictionaries with attributes
Rule = Callable[[Notebook], Iterator[str]]

MOST_LINES, MEDIAN_LINES = 30, 8
FEWEST_WORDS = 10
EXERCISES = 3
HIDDEN = {"hide-input", "remove-input", "hide-cell", "remove-cell"}
OBJECTIVES = re.compile(
    r"^:::+\{admonition\} After this chapter you can\n:class: objectives\n(.*?)^:::", re.M | re.S
)
SOLUTION = re.compile(r"\{solution-start\} *(\S+)\s*\n\s*:class: dropdown")


def tags(cell: Any) -> set[str]:
    return set(cell.metadata.get("tags", []))


def code_cells(notebook: Notebook) -> Iterator[tuple[int, Any]]:
    """Code cells with their position in the notebook, from 1."""
    return ((i, cell) for i, cell in enumerate(notebook.cells, 1) if cell.cell_type == "code")


def python(cell: Any) -> ast.Module:
    return ast.parse(TransformerManager().transform_cell(cell.source))


def outputs_stripped(notebook: Notebook) -> Iterator[str]:
    for i, cell in code_cells(notebook):
        if cell.outputs or cell.execution_count is not None:
            yield f"cell {i} has outputs or an execution count: strip them with nbstripout"


def python_kernel(notebook: Notebook) -> Iterator[str]:
    name = notebook.metadata.get("kernelspec", {}).get("name")
    if name != "python3":
        yield f"its kernel is {name!r}, not python3"


def one_parameters_cell(notebook: Notebook) -> Iterator[str]:
    found = [(i, cell) for i, cell in code_cells(notebook) if "parameters" in tags(cell)]
    if len(found) != 1:
        yield f"{len(found)} cells are tagged parameters, not one"
        return
    i, cell = found[0]
    if i != next(i for i, each in code_cells(notebook) if SETUP_TAG not in tags(each)):
        yield f"the parameters cell {i} is not the first code cell"
    try:
        names = literals(cell.source)
    except (SyntaxError, ValueError) as error:
        yield f"parameters cell {i}: {error}"
        return
    for name in ("profile", "seed"):
        if name not in names:
            yield f"parameters cell {i} does not set {name}"


def opening(notebook: Notebook) -> Iterator[str]:
    first = notebook.cells[0].source
    if not re.match(r"\(ch-[a-z-]+\)=\n+# \S", first):
        yield "cell 1 does not open with a label (ch-name)= and a title"
    objectives = OBJECTIVES.search(first)
    if objectives is None:
        yield "cell 1 has no admonition 'After this chapter you can' of class objectives"
    elif len(re.findall(r"^[-*] ", objectives[1], re.M)) not in (3, 4):
        yield "the objectives are not three or four bullets"


def cell_lengths(notebook: Notebook) -> Iterator[str]:
    lengths = []
    for i, cell in code_cells(notebook):
        lengths.append(len(cell.source.splitlines()))
        if lengths[-1] > MOST_LINES:
            yield f"cell {i} has {lengths[-1]} lines; {MOST_LINES} is the most"
    if lengths and statistics.median(lengths) > MEDIAN_LINES:
        yield f"the median code cell has {statistics.median(lengths):g} lines; {MEDIAN_LINES} is the most"


def shows_figure(cell: Any) -> bool:
    """Whether a code cell ends by drawing: ``draw...()``, ``plot...()`` or ``show()``, of whatever module."""
    body = python(cell).body
    last = body[-1] if body else None
    if not isinstance(last, ast.Expr) or not isinstance(last.value, ast.Call):
        return False
    function = last.value.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return re.match(r"(draw|plot|show$|imshow)", name) is not None


def lacking_in_figure(cell: Any) -> list[str]:
    """What a cell that shows a figure does not say about it."""
    said = cell.metadata.get("mystnb", {})
    figure, image = said.get("figure", {}), said.get("image", {})
    lacking = []
    if not str(figure.get("name", "")).startswith("fig-"):
        lacking.append("figure name fig-...")
    if not figure.get("caption"):
        lacking.append("caption")
    if len(words(image.get("alt", ""))) < 3:
        lacking.append("alt text")
    return lacking


def figures_described(notebook: Notebook) -> Iterator[str]:
    for i, cell in code_cells(notebook):
        if shows_figure(cell) and not tags(cell) & {"remove-cell", "remove-output"}:
            lacking = lacking_in_figure(cell)
            if lacking:
                yield f"cell {i} shows a figure without {', '.join(lacking)}"


def prose_before_code(notebook: Notebook) -> Iterator[str]:
    """A visible code cell is introduced in words; a hidden one only shows what the one before has made."""
    introduced, in_solution = 0, False
    for i, cell in enumerate(notebook.cells, 1):
        if cell.cell_type == "markdown":
            introduced += len(words(cell.source))
            in_solution = (
                "{solution-start}" in cell.source or in_solution
            ) and "{solution-end}" not in cell.source
        elif not tags(cell) & HIDDEN:
            if introduced < FEWEST_WORDS and not in_solution:
                yield f"cell {i} is introduced by {introduced} words; {FEWEST_WORDS} is the least"
            introduced = 0


def numbers_glued(notebook: Notebook) -> Iterator[str]:
    for i, cell in enumerate(notebook.cells, 1):
        if cell.cell_type == "markdown":
            for number, sentence in typed_numbers(cell.source):
                yield f"cell {i} has a typed number, {number!r} in: {sentence}"


def exercises_solved(notebook: Notebook) -> Iterator[str]:
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    exercises = len(re.findall(r"^`{3,}\{exercise(?:-start)?\}", text, re.M))
    if exercises < EXERCISES:
        yield f"it has {exercises} exercises; {EXERCISES} is the least"
    executed = _executed_solutions(notebook)
    if executed < EXERCISES:
        yield f"{executed} exercises have a hidden, executed solution; {EXERCISES} is the least"


def _executed_solutions(notebook: Notebook) -> int:
    """How many ``solution-start`` blocks of class dropdown hold a code cell."""
    found, waiting = 0, False
    for cell in notebook.cells:
        if cell.cell_type == "code":
            found += waiting
            waiting = False
        else:
            waiting = SOLUTION.search(cell.source) is not None
    return found


EVERY_NOTEBOOK: tuple[Rule, ...] = (
    outputs_stripped,
    python_kernel,
    one_parameters_cell,
    cell_lengths,
    figures_described,
    prose_before_code,
    numbers_glued,
)
CHAPTERS: tuple[Rule, ...] = (opening, exercises_solved)


def problems(notebook: Notebook, rules: tuple[Rule, ...] = EVERY_NOTEBOOK + CHAPTERS) -> list[str]:
    """All that is wrong with the form of a chapter; a front page keeps only the rules of every notebook."""
    return [problem for rule in rules for problem in rule(notebook)]
