"""``python -m book.builder.jupyter_book build ...``: Jupyter Book's own command, with less to wait for.

Importing this package has already spared it two seconds of grammars, see its ``__init__``.
"""

import functools
import gc
from importlib import metadata


def spare_repetitions() -> None:
    """What a process that renders one book does over and over, and need not.

    pybtex asks for the installed packages' entry points anew with every citation, and that reads a file of
    each package. Cycles are looked for in millions of objects that live until the end.
    """
    metadata.entry_points = functools.cache(metadata.entry_points)
    gc.disable()


if __name__ == "__main__":
    spare_repetitions()
    from jupyter_book.cli.main import main

    main()
