"""The files around the package keep in step with each other."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PYPROJECT = "pyproject.toml"


def requirements(root: Path) -> list[Requirement]:
    project = tomllib.loads((root / PYPROJECT).read_text())["project"]
    lines = [
        *project["dependencies"],
        *(r for extra in project["optional-dependencies"].values() for r in extra),
    ]
    return [Requirement(line) for line in lines]


def pins(root: Path) -> dict[str, str]:
    """Name to version, of the lines of the lock that apply to the Python that runs this test."""
    found = {}
    for line in (root / "requirements.lock").read_text().splitlines():
        if match := re.match(r"^[a-z0-9].*?(?=\s*\\?$)", line):
            pin = Requirement(match.group())
            if pin.marker is None or pin.marker.evaluate({**default_environment(), "extra": ""}):
                found[canonicalize_name(pin.name)] = next(iter(pin.specifier)).version
    return found


def test_every_dependency_is_pinned_within_its_bounds(root: Path) -> None:
    locked = pins(root)
    for requirement in requirements(root):
        name = canonicalize_name(requirement.name)
        assert name in locked, f"{name} is in {PYPROJECT} but not in requirements.lock: run `make lock`"
        assert requirement.specifier.contains(locked[name], prereleases=True), f"{name} {locked[name]}"


def test_bounds_stay_wide(root: Path) -> None:
    """Exact pins in a published package break tutorials a year later; only Jupyter Book is capped."""
    for requirement in requirements(root):
        operators = {spec.operator for spec in requirement.specifier}
        allowed = {">=", "<"} if requirement.name == "jupyter-book" else {">="}
        assert operators <= allowed, requirement


def test_lock_has_hashes_and_names_no_address(root: Path) -> None:
    text = (root / "requirements.lock").read_text()
    assert text.count("--hash=sha256:") >= len(pins(root))
    assert "://" not in text
    assert "--index-url" not in text


def test_conda_environment_takes_python_from_conda_and_the_rest_from_the_lock(root: Path) -> None:
    environment = yaml.safe_load((root / "environment.yml").read_text())
    python = next(d for d in environment["dependencies"] if isinstance(d, str) and d.startswith("python"))
    needed = tomllib.loads((root / PYPROJECT).read_text())["project"]["requires-python"]
    assert Requirement("python" + needed).specifier.contains(python.split("=")[-1])
    assert [d for d in environment["dependencies"] if isinstance(d, dict)] == [
        {"pip": ["-r requirements.lock"]}
    ]


def test_citation_names_the_paper(root: Path) -> None:
    citation = yaml.safe_load((root / "CITATION.cff").read_text())
    titles = [reference["title"] for reference in citation["references"]]
    assert "Fine-tuning CNN Image Retrieval with No Human Annotation" in titles
    assert citation["version"] == tomllib.loads((root / PYPROJECT).read_text())["project"]["version"]


def tracked_files(root: Path) -> list[Path]:
    listing = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True)
    if listing.returncode:
        pytest.skip("not a git checkout: the tracked files cannot be listed")
    return [root / name for name in listing.stdout.split("\n") if name]


def test_no_file_names_a_path_of_the_machine_it_was_written_on(root: Path) -> None:
    text_like = {".py", ".md", ".ipynb", ".yml", ".toml", ".cfg", ".cff", ".js", ".css", ".bib", ".lock", ""}
    private = re.compile(rf"{re.escape(str(root.parent))}/\w|/home/\w+/|/Users/\w+/")
    for path in tracked_files(root):
        if path.suffix in text_like and path.is_file():
            found = private.search(path.read_text(encoding="utf8", errors="replace"))
            assert not found, f"{path.relative_to(root)}: {found.group() if found else ''}"


def test_make_help_names_every_public_target(root: Path) -> None:
    shown = subprocess.run(["make", "help"], cwd=root, capture_output=True, text=True, check=True).stdout
    for target in ("env", "book", "pdf", "test", "check", "lab", "clean"):
        assert f"make {target}" in shown
