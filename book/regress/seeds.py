"""The spread of every result over the seeds that were executed."""

from collections.abc import Sequence

from book.builder.chapters import Chapter
from book.builder.paths import Paths

from .runs import current_seed_runs, read_run
from .tolerance import spread_over
from .values import shown


def show_spread(paths: Paths, chapters: Sequence[Chapter], own: int) -> str:
    """A table of the results that differ: value for each seed, and the spread."""
    run = read_run(paths, chapters)
    others = current_seed_runs(paths, chapters)
    lines = [""]
    for chapter in chapters:
        seeds = {str(own): run.chapters[chapter.name].records, **others.get(chapter.name, {})}
        lines.append(f"{chapter.name}, seeds {', '.join(sorted(seeds))}")
        for name, record in run.chapters[chapter.name].records.items():
            values = [found[name].value for _, found in sorted(seeds.items()) if name in found]
            spread = spread_over(values)
            if len(set(values)) > 1:
                size = shown(max(spread)) if spread else "words differ"
                lines.append(f"  {name:<36}{'  '.join(shown(v) for v in values)} {record.unit}  ({size})")
    return "\n".join(lines)
