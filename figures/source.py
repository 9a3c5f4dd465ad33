"""The package, shown in a chapter as it is: never a copy of it."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from IPython.display import Markdown


def source(*objects: Callable[..., Any] | type) -> Markdown:
    """Source of functions and classes, one after the other, set as Python by the page and by JupyterLab.

    Below it stands which lines of which files it is. The output's metadata says the same for machines: the
    book turns each place into a link once the repository has an address, which a chapter does not know
    (`book.builder.staging`).

    >>> shown = source(source).data.splitlines()
    >>> print(shown[1], shown[-1].partition(",")[0], sep=" | ")
    def source(*objects: Callable[..., Any] | type) -> Markdown: | *From* `figures/source.py`
    """
    text = "\n\n".join(inspect.getsource(item).rstrip() for item in objects)
    places = [_place(item) for item in objects]
    origin = "; ".join(phrase for phrase, *_ in places)
    return Markdown(f"````python\n{text}\n````\n\n*From* {origin}", metadata={"shown_source": places})  # type: ignore[no-untyped-call]


def _place(item: Callable[..., Any] | type) -> tuple[str, str, int, int]:
    """Where it stands in words, the file as the repository names it, the first and the last line."""
    item = inspect.unwrap(item)  # the function itself, not the file of what decorates it
    lines, first = inspect.getsourcelines(item)
    last = first + len(lines) - 1
    path = Path(inspect.getsourcefile(item) or "")
    depth = item.__module__.count(".") + 1 + (path.name == "__init__.py")
    file = "/".join(path.parts[-depth:])
    return f"`{file}`, {f'lines {first}–{last}' if last > first else f'line {first}'}", file, first, last
