"""The list of claims in chapter 11: judged by what was reported, linked to the chapter that measured it."""

from pathlib import Path

import pytest

from book.builder.claims_table import markdown

CLAIMS = """\
claims:
- id: a
  claim: A is better
  paper: table 1
  chapter: 01_a
  report: gain
  condition: "> 0"
  interval: gain_interval
- id: b
  claim: B is flatter
  paper: figure 2
  chapter: 02_b
  report: span
  condition: "< other"
  why: Small.
not_attempted:
- {what: The rest, paper: section 5, why: No pictures.}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "claims.yml"
    path.write_text(CLAIMS)
    return path


def rows(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("| ")][2:]


def test_a_claim_is_judged_by_its_interval(file: Path) -> None:
    for interval, verdict in (
        ("+2.0 (+1.0 to +3.0)", "✔ reproduced"),
        ("+2.0 (−1.0 to +5.0)", "≈ undecided"),
        ("−2.0 (−3.0 to −1.0)", "✘ not reproduced"),
    ):
        mean = float(interval.split()[0].replace("−", "-"))
        text = markdown(file, {"01_a": {"gain": mean, "gain_interval": interval}})
        assert rows(text)[0] == f"| A is better (table 1). | {interval}, {{doc}}`01_a` | {verdict} |"


def test_a_claim_may_compare_two_results_and_says_what_was_wanted(file: Path) -> None:
    text = markdown(file, {"02_b": {"span": 1.5, "other": 9.25}})
    assert rows(text)[1] == (
        "| B is flatter (figure 2). Small. "
        "| 1.5; the claim needs less than 9.25, {doc}`02_b` | ✔ reproduced |"
    )


def test_what_was_not_measured_and_not_attempted_is_said(file: Path) -> None:
    text = markdown(file, {})
    assert [row.split(" | ")[1:] for row in rows(text)] == [
        [f"{{doc}}`{chapter}`", "– not measured |"] for chapter in ("01_a", "02_b")
    ]
    assert "- **The rest** (section 5). No pictures." in text


def test_a_measurement_names_its_profile_where_profiles_are_mixed(file: Path) -> None:
    results = {"01_a": {"gain": 1.5, "gain_interval": "+1.5 (0.2 to 2.8)"}}
    mixed = markdown(file, results, {"01_a": "lite", "02_b": "paper"})
    assert "+1.5 (0.2 to 2.8), {doc}`01_a` (profile `lite`) |" in rows(mixed)[0]
    assert "{doc}`02_b` (profile `paper`) |" in rows(mixed)[1]
    assert "profile" not in markdown(file, results, {"01_a": "lite", "02_b": "lite"})
