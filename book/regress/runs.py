"""What an executed folder holds: the chapters' results, figures, run times, and where they ran."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from book.builder import executed
from book.builder.chapters import Chapter, execution_key, pages
from book.builder.chapters import only as chosen
from book.builder.errors import BuildError
from book.builder.homes import home
from book.builder.parameters import merged, profile_parameters
from book.builder.paths import Paths
from gem_lite.report import Record, read_reports

from .pictures import Picture, pictures_of

TRAINED_STEPS = ("pretrain", "train-")


@dataclass(frozen=True)
class ChapterRun:
    """One executed chapter."""

    records: dict[str, Record]
    pictures: dict[str, Picture]
    seconds: float
    finished: str


@dataclass
class Run:
    """The executed chapters of one profile and seed, and under what they ran."""

    chapters: dict[str, ChapterRun] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)


def chapters_of(paths: Paths, only: Iterable[str] = ()) -> list[Chapter]:
    """The book's chapters that are executed with this profile, or those of these names.

    Raises:
        BuildError: for a name that is not in the table of contents.
    """
    found = [Chapter(page) for page in pages(paths.book / "_toc.yml") if page.suffix == ".ipynb"]
    return chosen([chapter for chapter in found if home(chapter, paths) == paths], list(only))


def is_trained(chapter: Chapter) -> bool:
    """Whether a trained network has a part in the chapter's results."""
    return any(need.startswith(TRAINED_STEPS) for need in chapter.needs)


def read_run(paths: Paths, chapters: Iterable[Chapter]) -> Run:
    """Read what these chapters have left in the executed folder.

    Raises:
        BuildError: when a chapter was not executed.
    """
    run = Run()
    for chapter in chapters:
        record = executed.read_record(paths, chapter.name)
        file = executed.notebook_file(paths, chapter.name)
        if record is None or not file.is_file():
            raise BuildError(f"{chapter.name} was not executed under {paths.executed}; run make regress")
        run.chapters[chapter.name] = ChapterRun(
            read_reports(file), pictures_of(file), record.seconds, record.finished
        )
        run.environment |= _environment(record)
    return run


def current_seed_runs(paths: Paths, chapters: Iterable[Chapter]) -> dict[str, dict[str, dict[str, Record]]]:
    """Results of other seeds, by chapter and seed, from the folders that `seeds` has made; no stale ones."""
    found: dict[str, dict[str, dict[str, Record]]] = {}
    for folder in sorted(paths.executed.parent.glob(f"{paths.profile}-seed*")):
        seed = folder.name.removeprefix(f"{paths.profile}-seed")
        if not seed.isdigit():
            continue
        given = profile_parameters(paths.book / "profiles", paths.profile, int(seed))
        other = Paths(paths.root, paths.profile, folder.name)
        for chapter in chapters:
            key = execution_key(chapter, merged(chapter.name, chapter.parameters, given), paths.root)
            if executed.is_current(other, chapter.name, key):
                records = read_reports(executed.notebook_file(other, chapter.name))
                found.setdefault(chapter.name, {})[seed] = records
    return found


def _environment(record: executed.ExecutionRecord) -> dict[str, str]:
    hardware = {name: _text(value) for name, value in record.hardware.items()}
    return {**hardware, **record.versions}


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
