"""Rewrites the expectations from a run, for a reason that is kept in the file."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from book.builder.chapters import Chapter
from book.builder.paths import Paths
from gem_lite.report import Record, Value

from .compare import MISSING, MOVED, NEW, compare
from .expected import Expectation, Expected, read_expected, write_expected
from .figures import keep_figures
from .runs import Run, current_seed_runs, is_trained
from .tolerance import ELSEWHERE, spread_over, tolerance_of, usual_spread

SHORTEST_REASON = 8


def accept(
    paths: Paths, chapters: list[Chapter], run: Run, seed: int, reason: str, other_processor: bool = False
) -> Path:
    """Make the run what is expected from now on; expectations of chapters that were not run stay.

    Spreads come from the other seeds' folders where those are current, else from the seeds measured before.
    Training rounds differently on another kind of processor and ends in other networks, as with another seed:
    the same code measured on a second one makes the spread an honest one for both.

    Args:
        other_processor: keep the seeds' values of before beside those of now, under their processor's name.

    Raises:
        ValueError: without a reason; or if the values of before are from this very kind of processor, or no
            other seed was executed on this one.
    """
    reason = " ".join(reason.split())
    if len(reason) < SHORTEST_REASON:
        raise ValueError('say why the expectations change: make regress-accept REASON="..."')
    expected = read_expected(paths.root, paths.profile)
    before = expected.environment.get("processor", "") if other_processor else ""
    if other_processor and before in ("", run.environment.get("processor")):
        raise ValueError(f"the seeds of before are not from another kind of processor ({before or '?'})")
    counts = Counter(row.status for row in compare(expected, run))
    measured = current_seed_runs(paths, chapters)
    if other_processor and (lacking := [c.name for c in chapters if c.name not in measured]):
        raise ValueError(f"no other seed of {', '.join(lacking)} was executed here: make regress-seeds first")
    for chapter in chapters:
        found = run.chapters[chapter.name]
        old = expected.results.get(chapter.name, {})
        others = {s: records for s, records in measured.get(chapter.name, {}).items() if s != str(seed)}
        seeds = seed_values(found.records, seed, others, old, before)
        expected.results[chapter.name] = expectations(found.records, seeds, is_trained(chapter))
        expected.seconds[chapter.name] = found.seconds
        pictures = found.pictures.values()
        expected.figures[chapter.name] = keep_figures(paths.root, paths.profile, chapter.name, pictures)
    _forget(expected, paths, (chapter.name for chapter in chapters))
    expected.environment = run.environment
    expected.history.append(
        {
            "date": datetime.now(UTC).date().isoformat(),
            "reason": reason,
            **{status: counts[status] for status in (MOVED, NEW, MISSING) if counts[status]},
        }
    )
    return write_expected(paths.root, expected)


def seed_values(
    records: dict[str, Record],
    seed: int,
    others: dict[str, dict[str, Record]],
    old: dict[str, Expectation],
    before: str = "",
) -> dict[str, dict[str, Value]]:
    """Values by name and seed; without other seeds' runs those that the spread was measured on before.

    Args:
        records, seed: results of now, and their seed.
        others: results of other seeds, by seed.
        old: what was expected, with its seeds.
        before: kind of processor of `old`, if its values are to be kept beside the new ones.
    """
    values: dict[str, dict[str, Value]] = {}
    for name, record in records.items():
        if others:
            elsewhere = {s: found[name].value for s, found in others.items() if name in found}
            values[name] = dict(sorted({str(seed): record.value, **elsewhere}.items()))
            kept = (old[name].seeds or {str(seed): old[name].value}) if before and name in old else {}
            values[name] |= {s if ELSEWHERE in s else s + ELSEWHERE + before: v for s, v in kept.items()}
        else:
            values[name] = dict(old[name].seeds) if name in old else {}
    return values


def expectations(
    records: dict[str, Record], seeds: dict[str, dict[str, Value]], trained: bool
) -> dict[str, Expectation]:
    """What a chapter's results are expected to be from now on."""
    usual = usual_spread((record.unit, spread_over(seeds[name].values())) for name, record in records.items())
    made = {}
    for name, record in records.items():
        lengths, why, spread = tolerance_of(record, seeds[name], trained, usual)
        made[name] = Expectation(
            record.value, lengths, why, record.unit, record.higher_is_better, record.how, seeds[name], spread
        )
    return made


def _forget(expected: Expected, paths: Paths, ran: Iterable[str]) -> None:
    """Drop chapters that the book no longer has."""
    known = {page.stem for page in paths.book.glob("*.ipynb")} | set(ran)
    for kept in (expected.results, expected.seconds, expected.figures):
        for name in [name for name in kept if name not in known]:
            del kept[name]
