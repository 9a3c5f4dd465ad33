"""Parameters: literals only, and an unknown one is an error."""

from pathlib import Path

import pytest
from minibook import ROOT

from book.builder.errors import BuildError
from book.builder.parameters import literals, merged, parse_overrides, profile_parameters

PROFILES = ROOT / "book" / "profiles"


def test_literals_are_read() -> None:
    source = 'profile = "lite"  # a comment\nps: list = [1, 2.5]\nphotos_dir = ""\nlow = -1'
    assert literals(source) == {"profile": "lite", "ps": [1, 2.5], "photos_dir": "", "low": -1}


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("n = 2 * m", "n is computed"),
        ("import os", "line 1"),
        ("x, y = 1, 2", "one name"),
        ("a = b = 1", "line 1"),
    ],
)
def test_anything_else_is_refused(source: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        literals(source)


@pytest.mark.parametrize("file", sorted(PROFILES.glob("*.yml")), ids=lambda file: file.stem)
def test_a_profile_sets_profile_and_seed_only(file: Path) -> None:
    assert profile_parameters(PROFILES, file.stem, None) == {"profile": file.stem, "seed": 0}


def test_another_seed_can_be_asked_for() -> None:
    assert profile_parameters(PROFILES, "tiny", 7)["seed"] == 7


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(BuildError, match=r"no profile 'big'.*known: gpu, lite, paper, tiny"):
        profile_parameters(PROFILES, "big", None)


def test_overrides_are_read_as_yaml() -> None:
    texts = ["01_a:p=2.5", "01_a:photos_dir=~/my photos", "02_b:ps=[1, 2]"]
    assert parse_overrides(texts, ["01_a", "02_b"]) == {
        "01_a": {"p": 2.5, "photos_dir": "~/my photos"},
        "02_b": {"ps": [1, 2]},
    }


@pytest.mark.parametrize("text", ["p=2", "01_a:p", "01_a:=2"])
def test_a_malformed_override_is_refused(text: str) -> None:
    with pytest.raises(BuildError, match="write chapter:name=value"):
        parse_overrides([text], ["01_a"])


def test_an_override_of_no_chapter_is_refused() -> None:
    with pytest.raises(BuildError, match=r"no chapter '1_a'; known: 01_a"):
        parse_overrides(["1_a:p=2"], ["01_a"])


def test_an_unknown_parameter_is_refused() -> None:
    with pytest.raises(BuildError, match=r"01_a has no parameter sed; .* profile, seed"):
        merged("01_a", {"profile": "lite", "seed": 0}, {"sed": 1})
