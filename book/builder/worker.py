"""Executes one chapter in a process of its own: ``python -m book.builder.worker JOB.json``.

papermill changes the working folder of the whole process, so that two chapters can't share one. The
outcome is written beside the job, as JSON: ``{"failure": null}`` or what went wrong and where.
"""

import json
import sys
import traceback
from pathlib import Path
from typing import Any

import nbformat
import papermill
from papermill.exceptions import PapermillExecutionError

from gem_lite.report import read_reports
from gem_lite.toytown.parallel import end_with_parent


def execute(job: dict[str, Any]) -> dict[str, Any] | None:
    """Run the job's notebook; None when all went well, else the failure."""
    try:
        papermill.execute_notebook(
            job["source"],
            job["output"],
            parameters=job["parameters"],
            kernel_name="python3",  # whatever kernel the author's editor has written into the file
            cwd=job["cwd"],
            progress_bar=False,
            start_timeout=300,  # on a machine that is busy with other things, a kernel needs its minutes
            # A kernel that has done its work has nothing left to tidy up; asking it politely costs a second.
            shutdown_kernel="immediate",
        )
        read_reports(job["output"])  # refuses a name that two cells have reported
    except PapermillExecutionError as error:
        return {
            "cell": _cell_number(Path(job["output"]), error.exec_count),
            "source": error.source,
            "traceback": "\n".join(error.traceback),
        }
    except Exception:  # a kernel that died or did not start: still a failure of this chapter, to be shown
        return {"cell": None, "source": "", "traceback": traceback.format_exc()}
    return None


def _cell_number(output: Path, execution: int | None) -> int | None:
    """Position in the author's notebook, from 1, of the cell with this execution count."""
    number = 0
    for cell in nbformat.read(output, as_version=4).cells:
        tags = cell.metadata.get("tags", [])
        if "injected-parameters" in tags or "papermill-error-cell-tag" in tags:
            continue  # papermill's own additions
        number += 1
        if cell.cell_type == "code" and cell.execution_count == execution:
            return number
    return None


def main() -> None:
    end_with_parent()  # a build that was killed outright could not end its chapters itself
    job_file = Path(sys.argv[1])
    outcome = {"failure": execute(json.loads(job_file.read_text(encoding="utf8")))}
    job_file.with_suffix(".outcome").write_text(json.dumps(outcome), encoding="utf8")


if __name__ == "__main__":
    main()
