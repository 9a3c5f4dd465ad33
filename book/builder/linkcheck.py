"""``python -m book.builder.linkcheck``: asks for every link of the book that leads out of it.

The pages are those of the last build. This is the one command here that wants a network.
"""

import argparse
import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import interrupts, processes
from .errors import BuildError
from .paths import Paths
from .rendering import CONFIG, JUPYTER_BOOK

BAD = ("broken", "timeout")


def check_links(paths: Paths) -> list[dict[str, Any]]:
    """Every outward link as Sphinx's `linkcheck` reports it: uri, status, info, filename, lineno.

    Raises:
        BuildError: when there are no pages, or Jupyter Book did not get as far as the links.
    """
    if not paths.staged.is_dir():
        raise BuildError(f"there are no pages in {paths.staged}: run make book first")
    folder = paths.build / "linkcheck"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", JUPYTER_BOOK, "build", str(paths.staged), "--builder", "linkcheck"]
    command += ["--config", str(paths.root / CONFIG), "--path-output", str(folder)]
    process = processes.start(command, {**os.environ, "NO_COLOR": "1"}, paths.root, folder / "log.txt")
    try:
        processes.wait(process)  # its code says no more than the report does
    finally:
        processes.end_tree(process)
    reports = list(folder.rglob("output.json"))
    if not reports:
        log = (folder / "log.txt").read_text(encoding="utf8", errors="replace")
        raise BuildError(f"Jupyter Book did not check the links:\n{log}")
    return [json.loads(line) for line in reports[0].read_text(encoding="utf8").splitlines()]


def described(links: Sequence[dict[str, Any]]) -> str:
    """The bad links with their places, then how many there are of each kind."""
    bad = [link for link in links if link["status"] in BAD]
    lines = [
        f"{link['filename']}, line {link['lineno']}: {link['uri']}: {link['info'] or link['status']}"
        for link in bad
    ]
    counts = Counter(link["status"] for link in links)
    return "\n".join([*lines, ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))])


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 when every link leads somewhere, 1 when not."""
    parser = argparse.ArgumentParser(prog="python -m book.builder.linkcheck", description=__doc__)
    parser.add_argument("--root", type=Path, default=Path(), help="the checkout (default: here)")
    root = parser.parse_args(arguments).root.resolve()
    interrupts.listen()
    try:
        links = check_links(Paths(root, ""))
    except BuildError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except interrupts.Interrupted as interrupt:
        return 128 + interrupt.number
    print(described(links))
    return 1 if any(link["status"] in BAD for link in links) else 0


if __name__ == "__main__":
    sys.exit(main())
