"""Reads a pickle that may be hostile: containers, strings, numbers and NumPy arrays, and nothing else.

A pickle is a small program, and unpickling runs it: it may name any function of any installed package
and call it. Here every name that it asks for is looked up in a short table instead. What the table gives
is written below; no function of NumPy ever sees an argument that the file chose, since some of them can be
led to read or write memory that is not theirs. Arrays come out as nested lists.
"""

import io
import math
import pickle
import pickletools
import re
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

# Buffers from outside the file, objects by number or by persistent id: a ground truth has no use for them.
_REFUSED_OPCODES = {"PERSID", "BINPERSID", "EXT1", "EXT2", "EXT4", "NEXT_BUFFER", "READONLY_BUFFER"}
_PLAIN_DTYPE = re.compile(r"[biuf](1|2|4|8)|[SU][1-9]\d{0,3}|O8?")


class UnsafePickleError(ValueError):
    """A pickle that asks for more than containers, strings, numbers and arrays."""


class _Maker:
    """Stands in for a function or class that the file names; can be called and nothing else."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[..., Any]) -> None:
        self._make = make

    def __call__(self, *arguments: Any) -> Any:
        return self._make(*arguments)

    def __setstate__(self, state: object) -> NoReturn:
        raise UnsafePickleError("it tries to change a function instead of calling it")


class _Dtype:
    """What the file says about the numbers of an array: a code such as "i8", later the byte order."""

    __slots__ = ("code", "order")

    def __init__(self, code: str, *_flags: object) -> None:
        if not (isinstance(code, str) and _PLAIN_DTYPE.fullmatch(code)):
            raise UnsafePickleError("it holds an array of something other than numbers or strings")
        self.code, self.order = code, "="

    def __setstate__(self, state: Any) -> None:
        if state[1] not in ("<", ">", "=", "|"):
            raise UnsafePickleError("it holds an array with an unknown byte order")
        self.order = state[1]


class _Array(list[Any]):
    """An array, as nested lists. NumPy pickles make it empty first and fill it afterwards."""

    def __setstate__(self, state: Any) -> None:
        _version, shape, dtype, columns_first, content = state
        self[:] = _values(content, dtype, shape, "F" if columns_first else "C")


def _values(content: Any, dtype: Any, shape: Any, order: str) -> list[Any]:
    """Nested lists of the numbers or strings in the raw bytes of an array."""
    if not isinstance(dtype, _Dtype) or order not in ("C", "F") or not shape:
        raise UnsafePickleError("it holds an array that is not put together as NumPy does it")
    if dtype.code.startswith("O"):
        # Objects are listed one by one, each already checked; only their arrangement is left to do.
        if not isinstance(content, list) or len(content) != math.prod(shape):
            raise ValueError("an array has another size than its content")
        flat = np.empty(len(content), dtype=object)
        flat[:] = content
    else:
        # Pickles of Python 2 hold bytes as text.
        raw = content.encode("latin1") if isinstance(content, str) else bytes(content)
        flat = np.frombuffer(raw, dtype=np.dtype(dtype.order + dtype.code))
    values: list[Any] = flat.reshape(shape, order="F" if order == "F" else "C").tolist()
    return values


def _scalar(dtype: Any, content: Any) -> Any:
    return _values(content, dtype, (1,), "C")[0]


def _encoded(text: str, encoding: str) -> bytes:
    if encoding != "latin1":
        raise UnsafePickleError("it holds bytes in an encoding that no array uses")
    return text.encode("latin1")


def _refuse(*_arguments: object) -> NoReturn:
    raise UnsafePickleError("it calls the class ndarray itself, which a pickle of an array never does")


_NUMPY_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "_reconstruct": lambda *_: _Array(),
    "scalar": _scalar,
    "_frombuffer": lambda content, dtype, shape, order: _Array(_values(content, dtype, shape, order)),
}
_BUILTINS: dict[str, Callable[..., Any]] = {
    "set": set,
    "frozenset": frozenset,
    "bytes": lambda: b"",  # how old protocols write empty bytes; with a number it would ask for memory
}


def _makers() -> dict[tuple[str, str], Callable[..., Any]]:
    """Everything that a file may name."""
    makers: dict[tuple[str, str], Callable[..., Any]] = {
        ("collections", "OrderedDict"): dict,
        ("_codecs", "encode"): _encoded,
        ("numpy", "dtype"): _Dtype,
        ("numpy", "ndarray"): _refuse,
    }
    for module in ("builtins", "__builtin__"):  # Python 3 and 2
        makers |= {(module, name): make for name, make in _BUILTINS.items()}
    for core in ("numpy._core", "numpy.core"):  # NumPy 2 and 1
        for module in ("multiarray", "numeric"):
            makers |= {(f"{core}.{module}", name): make for name, make in _NUMPY_FUNCTIONS.items()}
    return makers


_MAKERS = _makers()


class _RestrictedUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> _Maker:
        if (module, name) not in _MAKERS:
            raise UnsafePickleError(f"it asks for {module}.{name}")
        return _Maker(_MAKERS[module, name])


def _check_opcodes(content: bytes) -> None:
    """Walks through the pickle without running it, so that no opcode lies about sizes or reaches outside."""
    for opcode, argument, _position in pickletools.genops(content):
        if opcode.name in _REFUSED_OPCODES:
            raise UnsafePickleError(f"it uses the pickle opcode {opcode.name}")
        # The unpickler makes room for every number below this one.
        if opcode.name in ("PUT", "LONG_BINPUT") and int(argument or 0) > len(content):
            raise UnsafePickleError("it asks for more memory than its content can need")


def loads(content: bytes, name: str = "pickle") -> Any:
    """The containers, strings and numbers of a pickle; arrays come as nested lists.

    Args:
        content: of the file.
        name: of the file, for the messages.

    Raises:
        UnsafePickleError: if the pickle asks for anything else; nothing of it has run then.
        ValueError: if it is damaged, or no pickle.

    >>> import pickle
    >>> loads(pickle.dumps({"easy": np.arange(3)}))
    {'easy': [0, 1, 2]}
    >>> loads(pickle.dumps(print))
    Traceback (most recent call last):
    gem_lite.safe_pickle.UnsafePickleError: refused to open pickle: it asks for builtins.print
    """
    try:
        _check_opcodes(content)
        return _RestrictedUnpickler(io.BytesIO(content), encoding="latin1").load()
    except UnsafePickleError as error:
        raise UnsafePickleError(f"refused to open {name}: {error}") from None
    except Exception as error:  # damaged files fail in every way there is
        raise ValueError(f"{name} is not a readable pickle: {type(error).__name__}: {error}") from error
