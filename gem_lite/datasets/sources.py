"""The table of addresses and folders, `sources.toml`, with whatever the user's own table changes in it."""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from gem_lite.cache import cache_dir

VARIABLE = "GEM_LITE_SOURCES"


class UnknownSourceError(ValueError):
    """A set that the table does not know, or for which it has neither address nor folder."""


@dataclass(frozen=True)
class Source:
    """One set of the table, its addresses written out. The fields are explained in `sources.toml`."""

    name: str
    archives: tuple[str, ...] = ()
    folder: str = ""
    flatten: bool = False
    truth: str = ""
    truth_file: str = ""
    images_of: str = ""
    list: str = ""
    list_file: str = ""
    images_dir: str = ""
    parts: tuple[str, ...] = ()
    pairs: str = ""
    pairs_file: str = ""
    whiten: str = ""
    whiten_file: str = ""
    rotations: str = ""
    sha256: Mapping[str, str] = field(default_factory=dict)


def data_dir() -> Path:
    """Folder of all data sets: ``$GEM_LITE_DATA``, else ``data`` in the cache folder."""
    given = os.environ.get("GEM_LITE_DATA")
    return Path(given).expanduser().resolve() if given else cache_dir() / "data"


def sources(table: str | Path | None = None) -> dict[str, Source]:
    """All sets by name.

    Args:
        table: a TOML file that overrides lines of the package's own; by default the one that
            ``$GEM_LITE_SOURCES`` names, if any.

    Raises:
        ValueError: for a table that is no TOML, or has a field that no set has.
    """
    content = _tables(table)
    del content["networks"]
    bases = content.pop("bases")
    return {name: _source(name, fields, bases) for name, fields in content.items()}


def networks(table: str | Path | None = None) -> dict[str, str]:
    """Addresses, or paths, of the released networks by name.

    >>> networks()["gl18-tl-resnet50-gem-w"].rsplit("/", 1)[1]
    'gl18-tl-resnet50-gem-w-83fdc30.pth'
    """
    content = _tables(table)
    return {
        name: _with_base(address, content["bases"], "networks")
        for name, address in content["networks"].items()
    }


def _tables(table: str | Path | None) -> dict[str, dict[str, Any]]:
    """The package's tables with the lines that the user's own one replaces."""
    content = tomllib.loads(files("gem_lite.datasets").joinpath("sources.toml").read_text(encoding="utf8"))
    chosen = table or os.environ.get(VARIABLE)
    if chosen:
        for name, fields in _own_table(Path(chosen).expanduser()).items():
            content[name] = content.get(name, {}) | fields
    return content


def source(name: str, table: str | Path | None = None) -> Source:
    """One set by name.

    Raises:
        UnknownSourceError: with the names that are known.

    >>> source("roxford5k").images_of
    'oxford5k'
    """
    known = sources(table)
    if name not in known:
        raise UnknownSourceError(f"unknown data set {name!r}; known: {', '.join(known)}")
    return known[name]


def _own_table(path: Path) -> dict[str, dict[str, Any]]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf8"))
    except FileNotFoundError:
        raise ValueError(f"{VARIABLE} names {path}, and there is no such file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not readable TOML: {error}") from error
    if odd := [name for name, fields in content.items() if not isinstance(fields, dict)]:
        raise ValueError(f"{path}: {odd[0]} stands outside of a table; write it under [name of the set]")
    return content


def _source(name: str, fields: dict[str, Any], bases: dict[str, str]) -> Source:
    known = Source.__dataclass_fields__.keys() - {"name"}
    if unknown := sorted(fields.keys() - known):
        raise ValueError(f"the table of {name} has an unknown field {unknown[0]!r}; known: {sorted(known)}")

    def written_out(value: Any) -> Any:
        if isinstance(value, list):
            return tuple(address for entry in value for address in _counted(_with_base(entry, bases, name)))
        return _with_base(value, bases, name) if isinstance(value, str) else value

    return Source(name, **{key: written_out(value) for key, value in fields.items()})


def _with_base(address: str, bases: dict[str, str], name: str) -> str:
    def base(match: re.Match[str]) -> str:
        if match[1] not in bases:
            raise ValueError(f"the table of {name} names the base {match[1]!r}, which [bases] lacks")
        return bases[match[1]].rstrip("/")

    return re.sub(r"\{(\w+)\}", base, address)


def _counted(address: str) -> list[str]:
    """One address for each number of ``{1..100}``.

    >>> _counted("part.{1..3}.tgz")
    ['part.1.tgz', 'part.2.tgz', 'part.3.tgz']
    """
    if not (match := re.search(r"\{(\d+)\.\.(\d+)\}", address)):
        return [address]
    numbers = range(int(match[1]), int(match[2]) + 1)
    return [address.replace(match[0], str(number)) for number in numbers]
