"""What is to be done for a profile and its seeds, what of it is done, and doing it until the time is over."""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from book.builder import executed, interrupts
from book.builder.__main__ import _arguments, build, only, only_build
from book.builder.chapters import Chapter, execution_key, pages
from book.builder.parameters import merged, profile_parameters
from book.builder.paths import Paths
from gem_lite.cache import cache_dir

from . import state

EXPECTED = Path("tests") / "expected"


@dataclass(frozen=True)
class Work:
    """Executing the chapters of one profile for several seeds, the first of which is the book's."""

    root: Path
    profile: str
    seeds: tuple[int, ...]
    only: tuple[str, ...] = ()

    def paths(self, seed: int) -> Paths:
        """Where a seed's executed chapters lie: those of the first seed are the book's."""
        other = "" if seed == self.seeds[0] else f"{self.profile}-seed{seed}"
        return Paths(self.root, self.profile, other)

    @property
    def chapters(self) -> list[Chapter]:
        """All chapters, or those that were asked for."""
        toc = pages(self.root / "book" / "_toc.yml")
        return only([Chapter(page) for page in toc if page.suffix == ".ipynb"], self.only)

    def left(self, seed: int) -> list[str]:
        """Names of the chapters that are still to be executed for a seed."""
        given = profile_parameters(self.root / "book" / "profiles", self.profile, seed)
        found = []
        for chapter in self.chapters:
            key = execution_key(chapter, merged(chapter.name, chapter.parameters, given), self.root)
            if not executed.is_current(self.paths(seed), chapter.name, key):
                found.append(chapter.name)
        return found

    def do(self) -> None:
        """Execute what is left, seed after seed; every chapter that has ended is kept.

        Raises:
            OutOfTime: when the time is over.
            BuildError: when a chapter or a step fails.
        """
        for seed in self.seeds:
            if self.left(seed):
                print(f"\nSeed {seed}", flush=True)
                paths = self.paths(seed)
                with only_build(paths):
                    build(self._options(seed, paths), paths)

    def _options(self, seed: int, paths: Paths) -> argparse.Namespace:
        words = ["--profile", self.profile, "--seed", str(seed), "--no-pages", "--root", str(self.root)]
        words += ["--into", paths.folder] if paths.folder else []
        return _arguments([*words, *(["--only", *self.only] if self.only else [])])

    def accept(self, reason: str) -> Path:
        """Write ``tests/expected/<profile>.json`` from what was executed; returns its path."""
        from book.regress.accept import accept  # compares pictures: slow to import
        from book.regress.runs import read_run

        first = self.seeds[0]
        run = read_run(self.paths(first), self.chapters)
        return accept(self.paths(first), self.chapters, run, first, reason)

    def entries(self) -> Iterator[tuple[Path, str]]:
        """What the next machine needs: executed chapters, networks of unfinished seeds, expectations."""
        for seed in self.seeds:
            folder = self.paths(seed).executed
            yield from state.files_below(folder, folder.relative_to(self.root).as_posix())
        finished = [f"-{self.profile}-{seed}-" for seed in self.seeds if not self.left(seed)]
        for path, name in state.files_below(cache_dir(), "_build/carried"):
            if not any(part in path.name for part in finished):
                yield path, name
        for folder in (self.root / EXPECTED / self.profile,):
            yield from state.files_below(folder, folder.relative_to(self.root).as_posix())
        file = self.root / EXPECTED / f"{self.profile}.json"
        if file.is_file():
            yield file, file.relative_to(self.root).as_posix()

    def progress(self) -> set[tuple[str, int]]:
        """All that was made, with the times at which it was written: grows when anything gets on."""
        folders = [cache_dir(), *(self.paths(seed).executed for seed in self.seeds)]
        return {
            (str(path), path.stat().st_mtime_ns)
            for folder in folders
            for path in folder.rglob("*")
            if path.is_file() and path.suffix != ".lock"
        }


def seconds_kept_for_packing(budget: float) -> float:
    """Part of the budget in which nothing is executed: to end processes and to pack."""
    return min(30.0, budget / 5)


def limit(budget: float) -> None:
    """From now on there is the budget, less what packing takes."""
    interrupts.stop_after(budget - seconds_kept_for_packing(budget))


def summary(work: Work) -> Sequence[str]:
    """A line for each seed that is not finished."""
    lines = []
    for seed in work.seeds:
        names = work.left(seed)
        if names:
            lines.append(f"seed {seed}: {len(names)} of {len(work.chapters)} chapters: {', '.join(names)}")
    return lines
