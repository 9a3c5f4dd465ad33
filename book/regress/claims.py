"""The paper's claims (``book/claims.yml``), judged by what the chapters have reported."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from gem_lite.report import Value

from .values import parts

HOLDS, UNDECIDED, FAILS, UNKNOWN = "holds", "undecided", "does not hold", "not measured"
OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}


@dataclass(frozen=True)
class Claim:
    """One claim of the paper and the result that answers it; the fields are described in the file."""

    id: str
    claim: str
    paper: str
    chapter: str
    report: str
    condition: str
    interval: str = ""
    why: str = ""


def read_claims(file: Path) -> tuple[list[Claim], list[dict[str, str]]]:
    """The claims, and the results of the paper that are not attempted.

    Raises:
        ValueError: for a claim with other fields than these, a condition that can't be read, or an id twice.
    """
    content: dict[str, list[dict[str, Any]]] = yaml.safe_load(file.read_text(encoding="utf8"))
    claims = []
    for entry in content["claims"]:
        try:
            claims.append(Claim(**entry))
        except TypeError as error:
            raise ValueError(f"{file}, claim {entry.get('id')!r}: {error}") from None
        _split(claims[-1])
    ids = [claim.id for claim in claims]
    if len(set(ids)) < len(ids):
        raise ValueError(f"{file}: an id is used twice")
    return claims, content["not_attempted"]


def judge(claim: Claim, results: Mapping[str, Value]) -> str:
    """Whether the claim holds in the results of its chapter.

    Where an interval is given and contains zero, the claim is undecided whatever the mean.
    """
    compare, bound = _split(claim)
    needed = [claim.report, *([claim.interval] if claim.interval else [])]
    needed += [bound] if isinstance(bound, str) else []
    if any(name not in results for name in needed):
        return UNKNOWN
    limit = bound if isinstance(bound, float) else parts(results[bound]).numbers[0]
    if claim.interval:
        _, low, high = parts(results[claim.interval]).numbers
        if low <= 0 <= high:
            return UNDECIDED
    return HOLDS if compare(parts(results[claim.report]).numbers[0], limit) else FAILS


def _split(claim: Claim) -> tuple[Callable[[float, float], bool], float | str]:
    """The comparison of a condition and what is compared with: a number or the name of a result."""
    sign, _, bound = claim.condition.partition(" ")
    if sign not in OPERATORS or not bound:
        raise ValueError(f"claim {claim.id!r}: condition {claim.condition!r} is not like '> 0'")
    try:
        return OPERATORS[sign], float(bound)
    except ValueError:
        return OPERATORS[sign], bound
