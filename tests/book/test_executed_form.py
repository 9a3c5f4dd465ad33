"""Each rule for executed chapters finds the notebook that breaks it."""

from collections.abc import Callable
from typing import Any

import executed_form
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

FIGURE = {"figure": {"name": "fig-a", "caption": "A line."}, "image": {"alt": "A line that rises."}}


def shown(kind: str, **metadata: Any) -> Any:
    return new_output("display_data", data={kind: "x"}, metadata=metadata)


def good_chapter() -> Any:
    record = {"scrapbook": {"name": "one", "mime_prefix": ""}, "gem_lite": {"value": 1.0}}
    return new_notebook(
        cells=[
            new_code_cell("seed = 1", metadata={"tags": ["injected-parameters"]}),
            new_code_cell("draw()", metadata={"mystnb": FIGURE}, outputs=[shown("image/png")]),
            new_code_cell("report('one', 1.0)", outputs=[shown("text/plain", **record)]),
            new_markdown_cell("It is {glue:text}`one:.1f`, and there {glue:text}`02_two.ipynb::two`."),
        ]
    )


def test_a_good_chapter_has_no_problem() -> None:
    assert executed_form.problems(good_chapter()) == []


def test_a_widget_is_shown_by_its_html() -> None:
    chapter = good_chapter()
    widget = {"image/png": "x", "text/html": "<p-slider></p-slider>"}
    chapter.cells[2].outputs.append(new_output("display_data", data=widget))
    assert executed_form.problems(chapter) == []


def without_alt(chapter: Any) -> None:
    chapter.cells[1].metadata.mystnb = {"figure": FIGURE["figure"]}


def with_vector_picture(chapter: Any) -> None:
    chapter.cells[2].outputs.append(shown("image/svg+xml"))


def with_warning(chapter: Any) -> None:
    chapter.cells[2].outputs.append(new_output("stream", name="stderr", text="UserWarning: slow"))


def with_error(chapter: Any) -> None:
    chapter.cells[2].outputs.append(new_output("error", ename="ValueError", evalue="bad", traceback=[]))


def with_unknown_result(chapter: Any) -> None:
    chapter.cells[3].source += " {glue:text}`three:.1f`"


BAD = [
    (without_alt, "cell 1 shows a picture without alt text"),
    (with_vector_picture, "cell 2 shows a picture without figure name"),
    (with_warning, "cell 2 wrote to stderr: UserWarning: slow"),
    (with_error, "cell 2 raised ValueError: bad"),
    (with_unknown_result, "pastes 'three'"),
]


@pytest.mark.parametrize(("spoil", "problem"), BAD, ids=[problem for _, problem in BAD])
def test_a_bad_chapter_is_found(spoil: Callable[[Any], None], problem: str) -> None:
    chapter = good_chapter()
    spoil(chapter)
    found = executed_form.problems(chapter)
    assert any(problem in each for each in found), found


def test_names_of_reports_are_read_from_the_code() -> None:
    source = "report('plain', 1)\nfor p in (1, 2):\n    report(f'map_{p}_easy', p)\nreport(name, 3)"
    notebook = new_notebook(cells=[new_code_cell(source)])
    assert executed_form.reported_names(notebook) == ["plain", r"\w+", r"map_\w+_easy"]
