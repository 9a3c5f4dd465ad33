"""The status page says what the records of the executions say."""

import re
from dataclasses import replace
from typing import Any

import pytest

from book.builder.executed import ExecutionRecord
from book.builder.status import markdown

RECORD = ExecutionRecord(
    chapter="01_a",
    key="k",
    notebook_sha256="s",
    seconds=12.34,
    finished="2026-11-28T14:40:59+00:00",
    parameters={"profile": "lite", "seed": 0, "photos_dir": "/private/place"},
    versions={"python": "3.12.1", "torch": "2.12.0"},
    hardware={"system": "Linux", "machine": "x86_64", "processor": "Some CPU", "cores": 2, "gpu": []},
)
# No line ends within a date.
WHEN = "2026-11-28 14:40".replace("-", "\N{NON-BREAKING HYPHEN}").replace(" ", "\N{NO-BREAK SPACE}")


def test_a_chapter_has_its_line() -> None:
    text = markdown([RECORD])
    assert f"| {{doc}}`01_a` | {WHEN} | 12.3 | A |" in text
    for said in (
        "profile `lite`, seed `0`",
        "Some CPU, 2 cores",
        "GPU: none",
        "Linux x86_64",
        "torch 2.12.0",
    ):
        assert said in text
    assert "private" not in text


def test_chapters_that_ran_alike_share_an_environment() -> None:
    again = replace(RECORD, chapter="02_b", seconds=1.0, finished="2026-11-29T00:00:00+00:00")
    text = markdown([RECORD, again])
    assert text.count("Some CPU") == 1
    assert "| all 2 | | 13.3 | |" in text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hardware", {**RECORD.hardware, "gpu": ["H100"]}),
        ("versions", {"python": "3.11.0"}),
        ("parameters", {"profile": "lite", "seed": 1}),
    ],
)
def test_another_environment_is_told_apart(name: str, value: Any) -> None:
    text = markdown([RECORD, replace(RECORD, chapter="02_b", **{name: value})])
    assert f"| {{doc}}`02_b` | {WHEN} | 12.3 | B |" in text
    assert "**A**" in text
    assert "**B**" in text


def test_mixed_profiles_are_named() -> None:
    other = replace(RECORD, chapter="11_k", parameters={"profile": "paper", "seed": 0})
    text = markdown([RECORD, other])
    assert re.search(r"`11_k` \|.*\| B \|", text)
    assert "Two profiles are mixed here, `lite` and `paper`" in text
    assert "mixed" not in markdown([RECORD, replace(RECORD, chapter="02_b")])
