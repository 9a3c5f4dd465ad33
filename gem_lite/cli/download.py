"""Fetch data sets ahead of time, or list those that are known.

An interrupted download goes on where it was. Folders and addresses stand in gem_lite/datasets/sources.toml; a
table of your own, named by --sources or $GEM_LITE_SOURCES, overrides any line, for a mirror or for what you
have.

  python -m gem_lite download --list
  python -m gem_lite download roxford5k rparis6k
"""

import argparse

from gem_lite.datasets import data_dir, load_benchmark, load_distractors, load_sfm, sources
from gem_lite.datasets.sources import Source


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Options of this command."""
    command.add_argument("sets", nargs="*", metavar="SET", help="names, as --list shows them")
    command.add_argument("--list", action="store_true", help="show all sets, and where they go")
    command.add_argument("--sources", metavar="FILE", help="your own table of addresses and folders")
    command.add_argument("--quiet", action="store_true", help="no progress bars")


def run(chosen: argparse.Namespace) -> None:
    """Fetches, or lists."""
    known = sources(chosen.sources)
    if chosen.list or not chosen.sets:
        print(f"data folder: {data_dir()} (set GEM_LITE_DATA for another)\n")
        for each in known.values():
            print(f"{each.name:22}  {_about(each)}")
        return
    if unknown := [name for name in chosen.sets if name not in known]:
        raise ValueError(f"unknown set {unknown[0]!r}; known: {', '.join(known)}")
    for name in chosen.sets:
        print(f"{name}: {_fetched(known[name], chosen)}")


def _about(source: Source) -> str:
    if source.parts:
        return " and ".join(source.parts)
    if source.images_dir:
        return f"your folder {source.images_dir}"
    if source.images_of:
        return f"pictures of {source.images_of}"
    if not source.archives:
        return f"no address is known: put the pictures into {source.folder}, or set images_dir"
    more = f" and {len(source.archives) - 1} more" if len(source.archives) > 1 else ""
    return f"{source.archives[0]}{more}"


def _fetched(source: Source, chosen: argparse.Namespace) -> str:
    """What there is of a set, now that it is there."""
    options = {"progress": not chosen.quiet, "table": chosen.sources}
    if source.pairs or source.whiten:
        splits = (["train", "val"] if source.pairs else []) + (["whiten"] if source.whiten else [])
        return ", ".join(
            f"{len(load_sfm(source.name, each, **options).images)} for {each}" for each in splits
        )
    if source.truth or source.parts or source.name == "holidays":
        found = load_benchmark(source.name, **options)
        return f"{len(found.images)} pictures, {len(found.queries)} queries"
    return f"{len(load_distractors(source.name, **options)[0])} pictures"
