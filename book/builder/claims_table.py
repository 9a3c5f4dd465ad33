"""The paper's claims beside what the chapters of this very build have reported; chapter 11 includes it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from book.regress.claims import FAILS, HOLDS, UNDECIDED, UNKNOWN, Claim, judge, read_claims
from gem_lite.report import Value, read_reports

from . import executed
from .chapters import Chapter
from .homes import home
from .paths import Paths

FILE = "claims_table.txt"  # included by 11_pipeline; not a page itself
CLAIMS = "claims.yml"
VERDICTS = {
    HOLDS: "✔ reproduced",
    UNDECIDED: "≈ undecided",
    FAILS: "✘ not reproduced",
    UNKNOWN: "– not measured",
}
WORDS = {"<": "less than", "<=": "at most", "==": "exactly", ">=": "at least", ">": "more than"}
Results = Mapping[str, Mapping[str, Value]]


def write(chapters: Sequence[Chapter], paths: Paths) -> None:
    """Write the list beside the staged pages, where the book has one."""
    file = paths.book / CLAIMS
    if not file.is_file():
        return
    homes = {chapter.name: home(chapter, paths) for chapter in chapters}
    results = {name: _reported(executed.notebook_file(place, name)) for name, place in homes.items()}
    profiles = {name: place.profile for name, place in homes.items()}
    (paths.staged / FILE).write_text(markdown(file, results, profiles), encoding="utf8")


def _reported(notebook: Path) -> dict[str, Value]:
    return {name: record.value for name, record in read_reports(notebook).items()}


def markdown(file: Path, results: Results, profiles: Mapping[str, str] | None = None) -> str:
    """One row for each claim, then what was not attempted and why.

    Args:
        file: the list of claims.
        results: reported values by chapter.
        profiles: that each chapter was executed with; where they differ, every measurement names its own.
    """
    profiles = profiles or {}
    mixed = len(set(profiles.values())) > 1
    claims, not_attempted = read_claims(file)
    # The chapter has no column of its own: on a phone three are enough.
    lines = ["| the paper claims | measured here | verdict |", "| :-- | :-- | :-- |"]
    for claim in claims:
        found = results.get(claim.chapter, {})
        verdict = VERDICTS[judge(claim, found)]
        on = f" (profile `{profiles[claim.chapter]}`)" if mixed and claim.chapter in profiles else ""
        said = f"{claim.claim} ({claim.paper}). {claim.why}".rstrip()
        place = f"{_measured(claim, found)}{{doc}}`{claim.chapter}`{on}"
        lines.append(f"| {said} | {place} | {verdict} |")
    lines += ["", "Not tested here:", ""]
    lines += [f"- **{entry['what']}** ({entry['paper']}). {entry['why']}" for entry in not_attempted]
    return "\n".join(lines) + "\n"


def _measured(claim: Claim, found: Mapping[str, Value]) -> str:
    """The interval where there is one, else the value beside what it is compared with; "" for neither."""
    name = claim.interval or claim.report
    if name not in found:
        return ""
    if claim.interval:
        return f"{found[name]}, "
    sign, _, bound = claim.condition.partition(" ")
    limit = found.get(bound, bound)
    return f"{_short(found[name])}; the claim needs {WORDS[sign]} {_short(limit)}, "


def _short(value: Value) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
