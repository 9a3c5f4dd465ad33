"""Named random streams: every random number in the project comes from one of these.

A stream is named by what it is for, ``stream("view", landmark, view)``, and never shared. Adding a
stream, or drawing more from one, leaves all the others as they were; two runs, two processes or two
machines that name the same stream draw the same numbers.
"""

import hashlib

import numpy as np

Name = str | int


def _entropy(names: tuple[Name, ...]) -> bytes:
    if not names:
        raise ValueError("a random stream needs at least one name, for example stream('view', 7)")
    text = "/".join(f"{type(name).__name__}:{name}" for name in names)
    return hashlib.sha256(text.encode()).digest()


def stream(*names: Name) -> np.random.Generator:
    """NumPy generator of the stream with this name.

    >>> bool(stream("view", 1).random() == stream("view", 1).random())
    True
    >>> bool(stream("view", 1).random() == stream("view", 2).random())
    False
    """
    return np.random.default_rng(int.from_bytes(_entropy(names), "little"))


def torch_seed(*names: Name) -> int:
    """A 63-bit seed for ``torch.manual_seed`` or a ``torch.Generator``, from the same kind of name."""
    return int.from_bytes(_entropy(names)[:8], "little") >> 1
