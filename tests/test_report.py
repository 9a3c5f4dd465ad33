"""A reported result: checked when it is made, pasted by the book, read back by the regression run."""

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import numpy as np
import pytest
import torch
from nbformat.v4 import new_code_cell, new_notebook

from gem_lite.report import Record, _claim, _plain, read_reports, report


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float32("nan"), torch.tensor(math.inf)])
def test_a_result_is_finite(value: Any) -> None:
    with pytest.raises(ValueError, match=r"is -?(nan|inf): a result must be finite"):
        report("loss", value)


@pytest.mark.parametrize("value", [None, True, [1.0], {"a": 1}])
def test_a_result_is_a_number_or_a_string(value: Any) -> None:
    with pytest.raises(TypeError, match="give a number or a string"):
        report("loss", value)


@pytest.mark.parametrize("name", ["", "map easy", "map-easy", "3d", "a:b"])
def test_a_name_can_be_pasted(name: str) -> None:
    with pytest.raises(ValueError, match="letters, digits and underscores"):
        report(name, 1.0)


@pytest.mark.parametrize("tolerance", [-1e-9, math.inf, math.nan])
def test_a_tolerance_is_a_finite_length(tolerance: float) -> None:
    with pytest.raises(ValueError, match="is not a finite number from 0 on"):
        report("norm", 1.0, tolerance=tolerance)


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.float64(0.5), 0.5),
        (np.int64(3), 3),
        (torch.tensor(2.0), 2.0),
        (7, 7),
        ("yes", "yes"),
        (0.25, 0.25),
    ],
)
def test_values_become_python_s_own(value: Any, plain: Any) -> None:
    assert _plain("x", value) == plain
    assert type(_plain("x", value)) is type(plain)


def shell(cell: str, execution: str, namespace: dict[str, Any]) -> SimpleNamespace:
    parent = {"metadata": {"cellId": cell} if cell else {}, "header": {"msg_id": execution}}
    return SimpleNamespace(get_parent=lambda: parent, user_ns=namespace)


def test_a_cell_may_run_again_but_no_other_may_report_the_same() -> None:
    namespace: dict[str, Any] = {}
    _claim(shell("cell a", "1", namespace), "gap")
    _claim(shell("cell a", "2", namespace), "gap")
    with pytest.raises(ValueError, match="'gap' is already reported"):
        _claim(shell("cell b", "3", namespace), "gap")


@pytest.mark.parametrize("cell", ["cell a", ""], ids=["JupyterLab", "papermill"])
def test_one_execution_reports_a_name_once(cell: str) -> None:
    namespace: dict[str, Any] = {}
    _claim(shell(cell, "1", namespace), "gap")
    with pytest.raises(ValueError, match="'gap' is already reported"):
        _claim(shell(cell, "1", namespace), "gap")


def executed(folder: Path, *sources: str) -> Path:
    """A notebook of these cells, run in a kernel."""
    nbclient = pytest.importorskip("nbclient")
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    nbclient.NotebookClient(notebook, kernel_name="python3").execute()
    path = folder / "executed.ipynb"
    nbformat.write(notebook, path)
    return path


@pytest.mark.slow
def test_an_executed_notebook_gives_the_records_back(tmp_path: Path) -> None:
    path = executed(
        tmp_path,
        "import numpy as np\nfrom myst_nb import glue\nfrom gem_lite.report import report",
        "report('map_gem', np.float64(61.5), unit='%', higher_is_better=True, how='off the shelf')\n"
        "report('queries', 70, tolerance=0)\nreport('verdict', 'overlap')\n"
        "report('time', 2.5, compared=False)",
        "glue('map_gem', 61.5, display=False)",
    )
    assert read_reports(path) == {
        "map_gem": Record(61.5, "%", True, "off the shelf"),
        "queries": Record(70, tolerance=0),
        "verdict": Record("overlap"),
        "time": Record(2.5, compared=False),
    }
    # The book pastes it as it pastes what MyST-NB's own function has glued.
    reported, glued = (nbformat.read(path, as_version=4).cells[i].outputs[0] for i in (1, 2))
    assert reported.data == glued.data
    assert reported.metadata.scrapbook == glued.metadata.scrapbook
    assert reported.output_type == glued.output_type


@pytest.mark.slow
def test_a_name_reported_by_two_cells_is_found(tmp_path: Path) -> None:
    path = executed(tmp_path, "from gem_lite.report import report\nreport('gap', 1)", "report('gap', 2)")
    with pytest.raises(ValueError, match="'gap' is reported twice"):
        read_reports(path)
