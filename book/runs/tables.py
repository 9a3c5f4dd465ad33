"""The table of a sweep: as CSV with a row for every run, and as Markdown for the eye."""

import csv
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .results import Sweep, mean_and_spread, setting_text


def write_csv(sweep: Sweep, path: Path) -> None:
    """One row per run: the swept parameters, every result, seconds, and where the notebook lies from here.

    A run that failed has its row, without results.
    """
    with path.open("w", newline="", encoding="utf8") as file:
        writer = csv.writer(file)
        writer.writerow([*sweep.swept, *sweep.names, "run_seconds", "run_state", "run_notebook"])
        for outcome in sweep.outcomes:
            found = {name: record.value for name, record in outcome.reports.items()}
            writer.writerow(
                [
                    *(outcome.parameters[name] for name in sweep.swept),
                    *(found.get(name, "") for name in sweep.names),
                    outcome.seconds,
                    "failed" if outcome.failure else "done",
                    os.path.relpath(outcome.notebook, path.parent),
                ]
            )


def markdown(sweep: Sweep, title: str, picture: str | None) -> str:
    """The results that move, one in a row; a column for each setting, over all its seeds.

    Args:
        sweep: at least one of its runs went well.
        title: heading of the page.
        picture: file name of the plot, or None where nothing was drawn.
    """
    groups = sweep.by(sweep.columns, sweep.done)
    heads = [setting_text(sweep.columns, group[0].parameters) for group in groups.values()]
    lines = [f"# {title}", "", _runs(sweep), ""]
    moving = sweep.moving()
    if moving:
        lines += [_row(["result", "unit", *heads]), _row([":--", ":--", *("--:" for _ in heads)])]
        for name in moving:
            cells = [_cell(sweep.values(name, group)) for group in groups.values()]
            lines.append(_row([f"`{name}`", sweep.record(name).unit, *cells]))
    still = [name for name in sweep.names if name not in moving]
    lines += ["", f"The same in all runs: {', '.join(still) or 'nothing'}.", ""]
    if picture:
        lines += [f"![Results over {sweep.axis}; the table above has their values]({picture})", ""]
    for outcome in sweep.outcomes:
        if outcome.failure:
            lines += [f"## Failed: {setting_text(sweep.swept, outcome.parameters)}", ""]
            lines += ["```text", outcome.failure, "```", ""]
    return "\n".join(lines)


def _runs(sweep: Sweep) -> str:
    failed = len(sweep.outcomes) - len(sweep.done)
    seeds = {outcome.parameters["seed"] for outcome in sweep.done}
    text = f"{len(sweep.outcomes)} runs" + (f", {failed} of them failed" if failed else "")
    if "seed" in sweep.swept and sweep.axis != "seed" and len(seeds) > 1:
        text += f"; mean ± standard deviation over the seeds {', '.join(map(str, sorted(seeds)))}"
    return text + "."


def _cell(values: Sequence[Any]) -> str:
    if not values:
        return "–"
    if not all(isinstance(value, int | float) for value in values):
        return " / ".join(dict.fromkeys(str(value) for value in values))
    mean, spread = mean_and_spread(values)
    return f"{mean:.4g}" if spread is None else f"{mean:.4g} ± {spread:.2g}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
