"""The package, shown in a chapter as it is: never a copy of it."""

import inspect
from collections.abc import Callable
from typing import Any

from IPython.display import Markdown


def source(*objects: Callable[..., Any] | type) -> Markdown:
    """Source of functions and classes, one after the other, set as Python by the page and by JupyterLab.

    >>> print(source(source).data.splitlines()[1])
    def source(*objects: Callable[..., Any] | type) -> Markdown:
    """
    text = "\n\n".join(inspect.getsource(item).rstrip() for item in objects)
    return Markdown(f"````python\n{text}\n````")
