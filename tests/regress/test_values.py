"""A reported value as numbers and words."""

import pytest

from book.regress.values import parts, shown


@pytest.mark.parametrize(
    ("value", "kind", "words", "numbers", "steps"),
    [
        (0.25, "real", "#", (0.25,), (0.0,)),
        (7, "whole", "#", (7.0,), (1.0,)),
        ("a gain", "text", "a gain", (), ()),
        ("−0.1 to +5.12", "text", "# to #", (-0.1, 5.12), (0.1, 0.01)),
        ("2.1e-05", "text", "#", (2.1e-05,), (1e-06,)),
        ("3 of 12", "text", "# of #", (3.0, 12.0), (1.0, 1.0)),
    ],
)
def test_numbers_are_found_in_words(
    value: float | str, kind: str, words: str, numbers: tuple[float, ...], steps: tuple[float, ...]
) -> None:
    found = parts(value)
    assert (found.kind, found.words, found.numbers) == (kind, words, numbers)
    assert found.steps == pytest.approx(steps)


def test_a_value_is_printed_with_its_unit() -> None:
    assert shown(61.512345, "%") == "61.5123 %"
    assert shown(None, "%") == "–"
    assert shown(3) == "3"
