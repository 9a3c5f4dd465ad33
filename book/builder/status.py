"""The status page: when, on what and with what each chapter of these pages was last executed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from . import executed
from .chapters import Chapter
from .executed import ExecutionRecord
from .homes import home
from .paths import Paths

FILE = "status_records.txt"  # included by status.md; not a page itself
# Hyphens and a space at which no line ends.
WHEN = "%Y\N{NON-BREAKING HYPHEN}%m\N{NON-BREAKING HYPHEN}%d\N{NO-BREAK SPACE}%H:%M"


def write(chapters: Sequence[Chapter], paths: Paths) -> None:
    """Write the records of the staged chapters beside the staged pages."""
    records = [executed.read_record(home(chapter, paths), chapter.name) for chapter in chapters]
    known = [record for record in records if record is not None]
    (paths.staged / FILE).write_text(markdown(known), encoding="utf8")


def markdown(records: Sequence[ExecutionRecord]) -> str:
    """A narrow table that a phone can show, and below it each environment once, however many shared it."""
    environments: list[dict[str, str]] = []
    lines = ["| chapter | executed (UTC) | seconds | with |", "| :-- | :-- | --: | :-: |"]
    for record in records:
        described = _environment(record)
        if described not in environments:
            environments.append(described)
        when = datetime.fromisoformat(record.finished).strftime(WHEN)
        mark = _letter(environments.index(described))
        lines.append(f"| {{doc}}`{record.chapter}` | {when} | {record.seconds:.1f} | {mark} |")
    total = sum(record.seconds for record in records)
    lines.append(f"| all {len(records)} | | {total:.1f} | |")
    if len(profiles := {record.parameters.get("profile") for record in records}) > 1:
        named = " and ".join(f"`{profile}`" for profile in sorted(map(str, profiles)))
        lines += [
            "",
            f"Two profiles are mixed here, {named}: each chapter's letter says which.",
        ]
    for index, described in enumerate(environments):
        lines += ["", f"**{_letter(index)}**", ""]
        lines += [f"- {name}: {value}" for name, value in described.items()]
    return "\n".join(lines) + "\n"


def _letter(index: int) -> str:
    return chr(ord("A") + index)


def _environment(record: ExecutionRecord) -> dict[str, str]:
    """What may differ from one execution to the next, in words."""
    hardware: dict[str, Any] = record.hardware
    parameters = {name: record.parameters.get(name) for name in ("profile", "seed")}
    cores = hardware.get("cores", "?")
    return {
        "parameters": ", ".join(f"{name} `{value}`" for name, value in parameters.items()),
        "processor": f"{hardware.get('processor') or 'unknown'}, {cores} core{'s' * (cores != 1)}",
        "GPU": ", ".join(hardware.get("gpu") or ["none"]),
        "system": f"{hardware.get('system', '?')} {hardware.get('machine', '')}".strip(),
        "versions": ", ".join(f"{name} {version}" for name, version in record.versions.items()),
    }
