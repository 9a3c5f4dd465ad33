"""All that a report says, gathered once for HTML, Markdown and JUnit."""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .compare import MOVED, SAME, Row
from .expected import Expected
from .figures import FigurePair
from .runs import Run


@dataclass(frozen=True)
class Timing:
    """Seconds of a chapter: now, in the run before this one, and when the expectations were accepted."""

    chapter: str
    now: float
    last: float | None
    accepted: float | None
    executed: bool  # in this run; otherwise the time is that of an earlier one


@dataclass(frozen=True)
class Summary:
    """A comparison, ready to be written."""

    expected: Expected
    rows: list[Row]
    figures: list[FigurePair]
    timings: list[Timing]
    environment: list[tuple[str, str, str]]  # what differs: name, accepted, now
    device: str
    made: str

    @property
    def counts(self) -> Counter[str]:
        return Counter(row.status for row in self.rows)

    def having(self, *statuses: str) -> list[Row]:
        return [row for row in self.rows if row.status in statuses]

    @property
    def verdict(self) -> str:
        """One sentence.

        A missing or new result is no move: it is named beside.
        """
        counts = self.counts
        moved, total = counts[MOVED], len(self.rows)
        if not total:
            return "Nothing was compared"
        if moved:
            return f"{moved} of {total} results moved"
        return "Nothing moved" if counts[SAME] == total else f"Nothing moved beyond noise, of {total} results"


def summarise(
    expected: Expected, run: Run, rows: list[Row], figures: list[FigurePair], last_file: Path
) -> Summary:
    """Gather everything, and keep this run's times for the next one."""
    last = _last(last_file)
    timings = [
        Timing(
            name,
            one.seconds,
            last[name]["seconds"] if name in last else None,
            expected.seconds.get(name),
            name not in last or last[name]["finished"] != one.finished,
        )
        for name, one in run.chapters.items()
    ]
    now = {name: {"seconds": one.seconds, "finished": one.finished} for name, one in run.chapters.items()}
    last_file.write_text(json.dumps({**last, **now}, indent=1), encoding="utf8")
    names = dict.fromkeys([*expected.environment, *run.environment])
    pairs = ((n, expected.environment.get(n, "–"), run.environment.get(n, "–")) for n in names)
    made = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return Summary(
        expected, rows, figures, timings, [p for p in pairs if p[1] != p[2]], device(run.environment), made
    )


def device(environment: dict[str, str]) -> str:
    """Where something ran, in a few words."""
    machine = environment.get("gpu") or environment.get("processor", "unknown machine")
    return f"{machine}, {environment.get('cores', '?')} cores, torch {environment.get('torch', '?')}"


def _last(file: Path) -> dict[str, dict[str, Any]]:
    try:
        found: dict[str, dict[str, Any]] = json.loads(file.read_text(encoding="utf8"))
        return found
    except (OSError, ValueError):
        return {}
