"""``REPRODUCIBILITY.md``: every claim with its chapter, command, expectation, measurement and status."""

from pathlib import Path

from .claims import FAILS, HOLDS, UNDECIDED, UNKNOWN, Claim, judge, read_claims
from .expected import FOLDER, Expectation, Expected, read_expected
from .summary import device
from .values import shown

FILE = "REPRODUCIBILITY.md"
PROFILES = ("lite", "gpu")  # `tiny` is for tests: its networks are hardly trained
MARKS = {HOLDS: "✔ holds", UNDECIDED: "≈ undecided", FAILS: "✘ does not hold", UNKNOWN: "– not measured"}
HEAD = """\
# What was reproduced

<!-- Made by `make reproducibility` from book/claims.yml and tests/expected; a test keeps it in step. -->

Each row is a claim of the paper, the result of this book that answers it, and whether it came out. A claim
about a difference is undecided where the 95 % interval of that difference over test landmarks contains zero.
The tolerance is how far a result may move before `make regress` reports it.

The world is Toytown, drawn by this repository, and the networks are small. A ✔ says that the effect shows
here; it does not reproduce a number of the paper."""
VERSIONS = ("python", "torch", "numpy", "scipy", "opencv-python-headless", "scikit-learn", "torchvision")


def write_reproducibility(root: Path) -> Path:
    """Write the file anew from ``book/claims.yml`` and ``tests/expected``; returns its path."""
    file = root / FILE
    file.write_text(reproducibility(root), encoding="utf8")
    return file


def reproducibility(root: Path) -> str:
    """The text of the file."""
    claims, not_attempted = read_claims(root / "book" / "claims.yml")
    measured = {profile: read_expected(root, profile) for profile in PROFILES}
    lines = [HEAD]
    for profile, expected in measured.items():
        if expected.results:
            lines += _profile(profile, expected, claims)
    missing = [profile for profile, expected in measured.items() if not expected.results]
    if missing:
        lines += ["", f"Not measured yet: {', '.join(f'profile `{name}`' for name in missing)}."]
    lines += ["", "## Not reproduced, and why", ""]
    first = next((expected for expected in measured.values() if expected.results), None)
    lines += _failed(first, claims) if first else []
    lines += ["Not attempted:", ""]
    lines += [f"- **{entry['what']}** ({entry['paper']}). {entry['why']}" for entry in not_attempted]
    return "\n".join(lines) + "\n"


def _profile(profile: str, expected: Expected, claims: list[Claim]) -> list[str]:
    last = expected.history[-1]
    versions = ", ".join(f"{n} {expected.environment[n]}" for n in VERSIONS if n in expected.environment)
    lines = [
        "",
        f"## Profile `{profile}`",
        "",
        f"Measured on {device(expected.environment)}; accepted {last['date']}: {last['reason']}",
        "",
        f"Versions: {versions}. All results: [`{FOLDER.as_posix()}/{profile}.json`]"
        f"({FOLDER.as_posix()}/{profile}.json).",
        "",
        "| claim | chapter | command | expected | measured | tolerance | status |",
        "| :-- | :-- | :-- | :-- | :-- | :-- | :-- |",
    ]
    return lines + [_row(profile, expected, claim) for claim in claims]


def _row(profile: str, expected: Expected, claim: Claim) -> str:
    named = expected.results.get(claim.chapter, {})
    one = named.get(claim.report)
    cells = [
        f"{claim.claim} ({claim.paper})",
        f"[{claim.chapter}](book/{claim.chapter}.ipynb)",
        f"`make regress PROFILE={profile}`",
        f"`{claim.report}` {claim.condition}",
        _measured(named, claim, one),
        _tolerance(one),
        MARKS[_status(expected, claim)],
    ]
    return f"| {' | '.join(cells)} |"


def _measured(named: dict[str, Expectation], claim: Claim, one: Expectation | None) -> str:
    if one is None:
        return "–"
    interval = named.get(claim.interval)
    text = shown(interval.value if interval else one.value, one.unit)
    bound = named.get(claim.condition.partition(" ")[2])
    return f"{text} against {shown(bound.value, bound.unit)}" if bound else text


def _tolerance(one: Expectation | None) -> str:
    if one is None:
        return "–"
    return f"± {one.tolerance[0]:.3g}: {one.why}" if one.tolerance else one.why


def _status(expected: Expected, claim: Claim) -> str:
    return judge(claim, {name: one.value for name, one in expected.results.get(claim.chapter, {}).items()})


def _failed(expected: Expected, claims: list[Claim]) -> list[str]:
    lines = [f"Of the claims, under profile `{expected.profile}`:", ""]
    for claim in claims:
        status = _status(expected, claim)
        if status != HOLDS:
            lines.append(f"- **{claim.claim}**: {status}. {claim.why}".rstrip())
    return [*(lines if len(lines) > 2 else ["Every claim in the table holds."]), ""]
