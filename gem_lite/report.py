"""A result is reported once: the same output feeds the book's prose and the regression run.

In a chapter ``report("map_gem", value)`` shows nothing. Prose pastes the number with
``{glue:text}`map_gem:.1f` ``, and `read_reports` reads it back from the executed notebook.
"""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

# The two fixed points of MyST-NB's glue: what marks an output as pasted, and what keeps it from showing.
GLUE_KEY = "scrapbook"
HIDDEN_PREFIX = "application/papermill.record/"
RECORD_KEY = "gem_lite"
PLAIN = HIDDEN_PREFIX + "text/plain"

Value = float | int | str


@dataclass(frozen=True)
class Record:
    """One reported result; ``higher_is_better`` is None where neither direction is."""

    value: Value
    unit: str = ""
    higher_is_better: bool | None = None
    how: str = ""
    tolerance: float | None = None
    compared: bool = True


def report(
    name: str,
    value: Any,
    *,
    unit: str = "",
    higher_is_better: bool | None = None,
    how: str = "",
    tolerance: float | None = None,
    compared: bool = True,
) -> None:
    """Keep a result of this chapter under a name, for the prose around it and for later comparisons.

    Outside of a notebook the value is only checked.

    Args:
        name: unique in the chapter; letters, digits and underscores.
        value: a number (also a NumPy or torch scalar) or a string.
        unit: as it would be printed, for example ``"%"`` or ``"s"``.
        higher_is_better: None where neither direction is.
        how: one sentence on how it was measured.
        tolerance: the largest difference that means nothing, where the method says it (an identity that
            holds up to rounding); None: the regression run takes it from the spread over seeds.
        compared: False for what differs from run to run by nature, such as a time.

    Raises:
        ValueError: for NaN or infinity, a negative tolerance, a bad name, or a name that another cell has
            reported.
        TypeError: for a value that is neither a number nor a string.

    >>> report("map_gem", 61.5, unit="%", higher_is_better=True)
    >>> report("map_gem", float("nan"))
    Traceback (most recent call last):
    ValueError: report 'map_gem' is nan: a result must be finite
    """
    if not name.isidentifier():
        raise ValueError(f"report name {name!r}: use letters, digits and underscores only")
    if tolerance is not None and not 0 <= tolerance < math.inf:
        raise ValueError(f"report {name!r}: tolerance {tolerance} is not a finite number from 0 on")
    record = Record(_plain(name, value), unit, higher_is_better, how, tolerance, compared)
    shell = _notebook_shell()
    if shell is None:
        return
    _claim(shell, name)
    from IPython.display import display

    display(  # type: ignore[no-untyped-call]
        {PLAIN: repr(record.value)},
        raw=True,
        metadata={GLUE_KEY: {"name": name, "mime_prefix": HIDDEN_PREFIX}, RECORD_KEY: asdict(record)},
    )


def read_reports(executed_notebook: str | Path) -> dict[str, Record]:
    """All results that an executed notebook reported, by name, in order.

    Raises:
        ValueError: when a name was reported twice.
    """
    notebook = json.loads(Path(executed_notebook).read_text(encoding="utf8"))
    records: dict[str, Record] = {}
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            metadata = output.get("metadata", {})
            if RECORD_KEY not in metadata or GLUE_KEY not in metadata:
                continue
            name = metadata[GLUE_KEY]["name"]
            if name in records:
                raise ValueError(
                    f"{executed_notebook}: {name!r} is reported twice; give each result its own name"
                )
            records[name] = Record(**metadata[RECORD_KEY])
    return records


def _plain(name: str, value: Any) -> Value:
    """The value as Python's own type: NumPy's print as ``np.float64(...)``, which prose can't format."""
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise TypeError(f"report {name!r} is a {type(value).__name__}: give a number or a string")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"report {name!r} is {value}: a result must be finite")
    return value


def _notebook_shell() -> Any:
    """The running notebook's IPython shell, or None in a plain Python or IPython process."""
    try:
        from IPython import get_ipython
    except ImportError:  # a plain install of the package has no Jupyter
        return None
    shell = get_ipython()
    return shell if hasattr(shell, "kernel") else None


def _claim(shell: Any, name: str) -> None:
    """Remember which cell reported a name: running that cell again is fine, a second cell is a mistake.

    JupyterLab says which cell is running. Where nothing does (papermill), every execution counts as the same
    cell here and the book build finds the duplicate in the executed notebook.
    """
    parent = shell.get_parent()
    cell = parent.get("metadata", {}).get("cellId", "")
    execution = parent.get("header", {}).get("msg_id", "")
    claims: dict[str, tuple[str, str]] = shell.user_ns.setdefault("_gem_lite_reports", {})
    owner, when = claims.get(name, (cell, ""))
    if owner != cell or when == execution:
        raise ValueError(
            f"{name!r} is already reported; give it another name, or restart the kernel if it moved"
        )
    claims[name] = (cell, execution)
