"""``tests/expected/<profile>.json``: what every result is expected to be, how far it may move, and why.

One result is one line, so that a diff of the file reads as a list of what was accepted.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gem_lite.cache import written_atomically
from gem_lite.report import Value

FOLDER = Path("tests") / "expected"


@dataclass(frozen=True)
class Expectation:
    """One result.

    ``tolerance`` has one length per number in the value; None where the result is shown and not judged.
    ``seeds`` holds the values that the spread was measured on.
    """

    value: Value
    tolerance: list[float] | None
    why: str
    unit: str = ""
    higher_is_better: bool | None = None
    how: str = ""
    seeds: dict[str, Value] = field(default_factory=dict)
    spread: list[float] | None = None


@dataclass
class Expected:
    """All of a profile: results by chapter and name, and under what they were measured."""

    profile: str
    results: dict[str, dict[str, Expectation]] = field(default_factory=dict)
    figures: dict[str, dict[str, str]] = field(default_factory=dict)  # fingerprints, by chapter and name
    seconds: dict[str, float] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)


def expected_file(root: Path, profile: str) -> Path:
    return root / FOLDER / f"{profile}.json"


def figure_folder(root: Path, profile: str) -> Path:
    return root / FOLDER / profile / "figures"


def read_expected(root: Path, profile: str) -> Expected:
    """The expectations of a profile; empty ones where nothing was accepted yet.

    Raises:
        ValueError: for a file that does not have this form, with its name.
    """
    file = expected_file(root, profile)
    if not file.is_file():
        return Expected(profile)
    try:
        content = json.loads(file.read_text(encoding="utf8"))
        results = {
            chapter: {name: Expectation(**fields) for name, fields in named.items()}
            for chapter, named in content.pop("results").items()
        }
        return Expected(results=results, **content)
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{file} is not a file of expectations: {error}") from None


def write_expected(root: Path, expected: Expected) -> Path:
    """Write the file anew; returns its path."""
    file = expected_file(root, expected.profile)
    with written_atomically(file) as part:
        part.write_text(_as_json(expected), encoding="utf8")
    return file


def _as_json(expected: Expected) -> str:
    head = {
        key: getattr(expected, key) for key in ("profile", "history", "environment", "seconds", "figures")
    }
    lines = json.dumps(head, indent=1, ensure_ascii=False)[:-2] + ',\n "results": {\n'
    chapters = [
        f"  {json.dumps(chapter)}: {{\n{_results(named)}\n  }}"
        for chapter, named in sorted(expected.results.items())
    ]
    return lines + ",\n".join(chapters) + "\n }\n}\n"


def _results(named: Mapping[str, Expectation]) -> str:
    return ",\n".join(f"   {json.dumps(name)}: {_one_line(one)}" for name, one in named.items())


def _one_line(one: Expectation) -> str:
    said = asdict(one).items()
    kept = {key: value for key, value in said if key in ("value", "tolerance") or value not in (None, "", {})}
    return json.dumps(kept, ensure_ascii=False)
