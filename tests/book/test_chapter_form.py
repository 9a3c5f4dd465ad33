"""Each rule of the form finds the notebook that breaks it, and a good chapter breaks none."""

from collections.abc import Callable
from typing import Any

import chapter_form
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from prose import titled_admonitions

OPENING = """(ch-example)=
# An example

:::{admonition} After this chapter you can
:class: objectives
- say one thing;
- show another;
- do a third.
:::"""
PROSE = "We now compute the one thing that this chapter is about, in a few lines."
FIGURE = {
    "mystnb": {
        "figure": {"name": "fig-example", "caption": "A line."},
        "image": {"alt": "A line that rises from left to right."},
    }
}


def solved_exercise(number: int) -> list[Any]:
    return [
        new_markdown_cell(
            f"```{{exercise}} ★ A question\n:label: ex-example-{number}\n\nWhat is 0.5 % of it?\n```"
        ),
        new_markdown_cell(f"````{{solution-start}} ex-example-{number}\n:class: dropdown\n````"),
        new_code_cell("print(1)"),
        new_markdown_cell("As expected.\n\n````{solution-end}\n````"),
    ]


def good_chapter() -> Any:
    """Cells: 0 opening, 1 parameters, 2 prose, 3 code, 4 prose, 5 figure, then the exercises."""
    cells = [
        new_markdown_cell(OPENING),
        new_code_cell('profile = "lite"\nseed = 0', metadata={"tags": ["parameters"]}),
        new_markdown_cell(PROSE),
        new_code_cell(
            "import numpy as np\nfrom gem_lite.report import report\nreport('one', np.ones(3).sum())"
        ),
        new_markdown_cell(PROSE + " It is {glue:text}`one:.1f` %, see section 3.1 and $p = 2.5$."),
        new_code_cell("from figures import line\nline.draw();", metadata=FIGURE),
    ]
    for number in range(3):
        cells += solved_exercise(number)
    return new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})


def test_a_good_chapter_has_no_problem() -> None:
    assert chapter_form.problems(good_chapter()) == []


def with_output(chapter: Any) -> None:
    chapter.cells[3].outputs = [{"output_type": "stream", "name": "stdout", "text": "1"}]


def with_execution_count(chapter: Any) -> None:
    chapter.cells[3].execution_count = 3


def with_another_kernel(chapter: Any) -> None:
    chapter.metadata.kernelspec.name = "my-environment"


def without_parameters(chapter: Any) -> None:
    chapter.cells[1].metadata.tags = []


def with_two_parameters_cells(chapter: Any) -> None:
    chapter.cells[3].metadata.tags = ["parameters"]


def with_late_parameters(chapter: Any) -> None:
    chapter.cells[1], chapter.cells[3] = chapter.cells[3], chapter.cells[1]


def with_computed_parameter(chapter: Any) -> None:
    chapter.cells[1].source += "\nviews = 2 * seed"


def without_seed(chapter: Any) -> None:
    chapter.cells[1].source = 'profile = "lite"'


def without_label(chapter: Any) -> None:
    chapter.cells[0].source = OPENING.partition("\n")[2]


def without_objectives(chapter: Any) -> None:
    chapter.cells[0].source = OPENING.replace("objectives", "note")


def with_two_objectives(chapter: Any) -> None:
    chapter.cells[0].source = OPENING.replace("- do a third.\n", "")


def with_long_cell(chapter: Any) -> None:
    chapter.cells[3].source = "a = 1\n" * 31


def with_many_middling_cells(chapter: Any) -> None:
    for _ in range(10):
        chapter.cells += [new_markdown_cell(PROSE), new_code_cell("a = 1\n" * 9)]


def without_alt(chapter: Any) -> None:
    del chapter.cells[5].metadata.mystnb["image"]


def without_caption(chapter: Any) -> None:
    del chapter.cells[5].metadata.mystnb["figure"]["caption"]


def without_figure_name(chapter: Any) -> None:
    del chapter.cells[5].metadata.mystnb["figure"]["name"]


def with_undescribed_pyplot(chapter: Any) -> None:
    chapter.cells[3].source = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"


def with_code_after_code(chapter: Any) -> None:
    chapter.cells.insert(4, new_code_cell("b = 2"))


def with_a_word_before_code(chapter: Any) -> None:
    chapter.cells[2].source = "So:"


def typing(text: str) -> Callable[[Any], None]:
    def with_typed_number(chapter: Any) -> None:
        chapter.cells[2].source = f"{PROSE} {text}"

    return with_typed_number


def with_two_exercises(chapter: Any) -> None:
    del chapter.cells[-4:]


def with_visible_solution(chapter: Any) -> None:
    chapter.cells[-3].source = chapter.cells[-3].source.replace(":class: dropdown\n", "")


def without_executed_solution(chapter: Any) -> None:
    del chapter.cells[-2]


BAD = [
    (with_output, "cell 4 has outputs"),
    (with_execution_count, "cell 4 has outputs or an execution count"),
    (with_another_kernel, "'my-environment', not python3"),
    (without_parameters, "0 cells are tagged parameters"),
    (with_two_parameters_cells, "2 cells are tagged parameters"),
    (with_late_parameters, "not the first code cell"),
    (with_computed_parameter, "views is computed"),
    (without_seed, "does not set seed"),
    (without_label, "label"),
    (without_objectives, "no admonition"),
    (with_two_objectives, "three or four bullets"),
    (with_long_cell, "cell 4 has 31 lines"),
    (with_many_middling_cells, "median code cell has 9 lines"),
    (without_alt, "cell 6 shows a figure without alt text"),
    (without_caption, "cell 6 shows a figure without caption"),
    (without_figure_name, "cell 6 shows a figure without figure name"),
    (with_undescribed_pyplot, "cell 4 shows a figure without"),
    (with_code_after_code, "cell 5 is introduced by 0 words"),
    (with_a_word_before_code, "cell 4 is introduced by 1 words"),
    (typing("GeM reaches 61.5 here."), "'61.5'"),
    (typing("GeM reaches 61 % here."), "'61 %'"),
    (typing("It gains 3 points."), "'3 points'"),
    (typing("It took 12 seconds."), "'12 seconds'"),
    (typing("The index takes 2 GB."), "'2 GB'"),
    (typing("\n\n:::{note}\nIt is 7.25 then.\n:::"), "'7.25'"),
    (typing("\n\n- a list item with 7.25 in it"), "'7.25'"),
    (with_two_exercises, "it has 2 exercises"),
    (with_visible_solution, "2 exercises have a hidden, executed solution"),
    (without_executed_solution, "2 exercises have a hidden, executed solution"),
]


@pytest.mark.parametrize(("spoil", "problem"), BAD, ids=[f"{problem}" for _, problem in BAD])
def test_a_bad_chapter_is_found(spoil: Callable[[Any], None], problem: str) -> None:
    chapter = good_chapter()
    spoil(chapter)
    found = chapter_form.problems(chapter)
    assert any(problem in each for each in found), found


@pytest.mark.parametrize(
    "text",
    [
        "The paper reports 61.5 {cite:p}`radenovic2018finetuning`.",
        "The data are [61.5 MB large](data.md).",
        "A constant such as $0.7$ is mathematics.",
        "Code such as `p=3.0` is code.",
        "```python\nx = 61.5\n```",
        "| p | mAP |\n| -- | -- |\n| 3.0 | 61.5 |",
        "$$\nx = 0.5\n$$ (eq-half)",
        "The dots have 95 % intervals.",
        "It is in section 5.3 of the book, for 96 pixels and 512 channels.",
        "It gives {glue:text}`one:.1f` %.",
    ],
)
def test_a_number_with_a_source_is_no_problem(text: str) -> None:
    chapter = good_chapter()
    chapter.cells[2].source = f"{PROSE}\n\n{text}"
    assert chapter_form.problems(chapter) == []


def test_a_hidden_cell_needs_no_words_of_its_own() -> None:
    chapter = good_chapter()
    chapter.cells.insert(4, new_code_cell("print(2)", metadata={"tags": ["hide-input"]}))
    assert chapter_form.problems(chapter) == []


def test_a_title_of_a_titleless_admonition_is_found() -> None:
    text = (
        ":::{danger} Rows\nText.\n:::\n\n:::{note}\nText.\n:::\n\n:::{admonition} Rows\n:class: danger\n:::"
    )
    assert titled_admonitions(text) == ["Rows"]
