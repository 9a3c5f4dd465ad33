"""Reads a torch file that also holds NumPy arrays, without letting it call anything of NumPy's.

The released networks keep their whitenings as NumPy arrays. ``weights_only=True`` refuses those unless it is
told which names are safe. It is told here that they are, but that they mean classes of ours: those read raw
numbers and nothing else, where NumPy's own functions can be led to do more by arguments that a file chose.
"""

import re
import threading
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
import torch

_PLAIN_DTYPE = re.compile(r"[biuf][1248]")
# torch keeps the safe names for the whole process: two threads must not take them from each other.
_LOCK = threading.Lock()


class _Dtype:
    """What a file says about the numbers of an array: a code such as "f8", later the byte order."""

    code, order = "", "="

    def __init__(self, code: object = "", *_flags: object) -> None:
        text = code.decode("latin1") if isinstance(code, bytes) else code
        if not isinstance(text, str) or not _PLAIN_DTYPE.fullmatch(text):
            raise ValueError(f"it holds an array of {text!r}: only plain numbers are read")
        self.code = text

    def __setstate__(self, state: Any) -> None:
        order = state[1].decode("latin1") if isinstance(state[1], bytes) else state[1]
        if order not in ("<", ">", "=", "|"):
            raise ValueError(f"it holds an array of byte order {order!r}")
        self.order = order


class StoredArray:
    """Stands in for an array of NumPy, which makes them empty first and fills them afterwards."""

    values: npt.NDArray[Any] | None = None

    def __init__(self, *_template: object) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        _version, shape, dtype, columns_first, content = state
        flat = np.frombuffer(_raw(content), _checked(dtype))
        self.values = flat.reshape(shape, order="F" if columns_first else "C")


class _ArrayClass:
    """What the file names as the class of an array; never called in a file that NumPy wrote."""

    def __init__(self, *_arguments: object) -> None:
        _refuse()

    __setstate__ = __init__


def _refuse() -> NoReturn:
    raise ValueError("it calls the class ndarray itself, which a file of arrays never does")


def _scalar(dtype: Any, content: Any) -> bool | int | float:
    number: bool | int | float = np.frombuffer(_raw(content), _checked(dtype), count=1)[0].item()
    return number


def _raw(content: object) -> bytes:
    if isinstance(content, str):
        return content.encode("latin1")
    if not isinstance(content, bytes):
        raise ValueError("it holds an array whose numbers are no bytes")
    return content


def _checked(dtype: object) -> np.dtype[Any]:
    if not isinstance(dtype, _Dtype) or not dtype.code:
        raise ValueError("it holds an array without the type of its numbers")
    return np.dtype(dtype.order + dtype.code)


# Names that NumPy 1 and 2 write, at protocol 2, which torch uses.
_STAND_INS: list[Any] = [
    (_Dtype, "numpy.dtype"),
    (_ArrayClass, "numpy.ndarray"),
    *((StoredArray, f"numpy.{core}.multiarray._reconstruct") for core in ("core", "_core")),
    *((_scalar, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")),
]


def read_torch(path: Path) -> dict[Any, Any]:
    """What a torch file holds, zip archive or the older form; each array is a `StoredArray`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is damaged, no torch file, or asks for anything but tensors, arrays and plain
            values; nothing of it has run then.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no file at {path}")
    try:
        with _LOCK, torch.serialization.safe_globals(_STAND_INS):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged files fail in every way there is
        raise ValueError(f"{path} {_what_is_wrong(path, error)}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} holds a {type(content).__name__}; expected a dictionary")
    return content


def _what_is_wrong(path: Path, error: Exception) -> str:
    with path.open("rb") as file:
        start = file.read(200)
    asked = re.search(r"GLOBAL ([\w.]+)", str(error))
    if asked:
        return f"is refused: it asks for {asked.group(1)}, and a network is tensors, arrays and plain values"
    if not start:
        return "is empty: download it again"
    if start.lstrip()[:1] == b"<":
        return "is a web page, not a network: the download went wrong"
    if start.startswith(b"version https://git-lfs"):
        return "is a pointer of Git LFS, not the file itself: run `git lfs pull`"
    if not start.startswith((b"PK", b"\x80")):
        return f"is no file of torch's (it begins with {start[:8]!r})"
    reason = str(error).split("\n")[0][:300]
    return f"is damaged, or was not downloaded to its end ({type(error).__name__}: {reason})"
