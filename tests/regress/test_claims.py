"""The paper's claims: read, judged, and written into REPRODUCIBILITY.md."""

from pathlib import Path

import pytest
import yaml

from book.regress.claims import Claim, judge, read_claims
from book.regress.expected import read_expected
from book.regress.reproducibility import FILE, reproducibility
from gem_lite.report import Value

ROOT = Path(__file__).resolve().parents[2]
CLAIMS = ROOT / "book" / "claims.yml"
RESULTS: dict[str, Value] = {
    "gain": 2.0,
    "clear": "+2.0 (+1.0 to +3.0)",
    "open": "+2.0 (−1.0 to +5.0)",
    "loss": "−2.0 (−3.0 to −1.0)",
    "span": 5.0,
}


def claim(report: str = "gain", condition: str = "> 0", interval: str = "") -> Claim:
    return Claim("one", "A beats B", "section 5", "01_a", report, condition, interval)


@pytest.mark.parametrize(
    ("one", "status"),
    [
        (claim(), "holds"),
        (claim(condition="< 0"), "does not hold"),
        (claim(condition="< span"), "holds"),
        (claim(condition=">= span"), "does not hold"),
        (claim(interval="clear"), "holds"),
        (claim(interval="open"), "undecided"),
        (claim(report="loss", interval="loss"), "does not hold"),
        (claim(report="loss", condition="< 0", interval="loss"), "holds"),
        (claim(report="elsewhere"), "not measured"),
        (claim(condition="> elsewhere"), "not measured"),
    ],
)
def test_a_claim_is_judged_by_its_condition_and_its_interval(one: Claim, status: str) -> None:
    assert judge(one, RESULTS) == status


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"condition": "is big"}, "condition 'is big' is not like"),
        ({"conditon": "> 0"}, "conditon"),
    ],
)
def test_a_bad_entry_is_named(tmp_path: Path, change: dict[str, str], message: str) -> None:
    entry = {"id": "one", "claim": "c", "paper": "p", "chapter": "01_a", "report": "r", "condition": "> 0"}
    (tmp_path / "claims.yml").write_text(yaml.safe_dump({"claims": [entry | change], "not_attempted": []}))
    with pytest.raises(ValueError, match=message):
        read_claims(tmp_path / "claims.yml")


def test_every_claim_is_answered_by_a_result_of_the_book() -> None:
    claims, _ = read_claims(CLAIMS)
    results = read_expected(ROOT, "lite").results
    if not results:
        pytest.skip("nothing is expected of profile lite yet: make regress-accept")
    known = {chapter: {name: one.value for name, one in named.items()} for chapter, named in results.items()}
    unanswered = [one.id for one in claims if judge(one, known.get(one.chapter, {})) == "not measured"]
    assert unanswered == []


def test_the_file_is_in_step_with_its_data() -> None:
    assert (ROOT / FILE).read_text(encoding="utf8") == reproducibility(ROOT), "run make reproducibility"
