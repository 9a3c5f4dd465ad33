"""A copy of this checkout, in which a fault can be planted and the regression run asked what moved."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[2]
COPIED = (
    "book",
    "figures",
    "gem_lite",
    "tests/expected",
    "_config.yml",
    "requirements.lock",
    "pyproject.toml",
)
RENDERED = "toytown-tiny-*.npz"  # pictures that no planted fault has a part in


class Checkout:
    """One copy, with a cache of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def of_this_one(cls, root: Path) -> "Checkout":
        for name in COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
            elif (ROOT / name).exists():
                shutil.copy(ROOT / name, root / name)
        (root / ".cache").mkdir()
        here = Path(os.environ.get("GEM_LITE_CACHE", ROOT / ".cache"))
        for file in here.glob(RENDERED):
            shutil.copy(file, root / ".cache")
        return cls(root)

    def copied(self, root: Path, networks: bool = True) -> "Checkout":
        """This copy once more, with what it has executed; without its networks all are trained anew."""
        shutil.copytree(self.root, root, ignore=shutil.ignore_patterns("__pycache__", ".lock"))
        if not networks:
            for file in (root / ".cache").iterdir():
                if not file.match(RENDERED):
                    file.unlink()
        return Checkout(root)

    def change(self, file: str, old: str, new: str, times: int = 1) -> None:
        """Replace a piece of source; it must be there, or the test tests nothing."""
        path = self.root / file
        text = path.read_text(encoding="utf8")
        assert text.count(old) == times, f"{old!r} occurs {text.count(old)} times in {file}; mend this test"
        path.write_text(text.replace(old, new), encoding="utf8")

    def regress(
        self, command: str, chapters: Iterable[str], *more: str, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run ``python -m book.regress`` in the copy, for some chapters under the profile ``tiny``."""
        arguments = [sys.executable, "-m", "book.regress", command, "--profile", "tiny", *more]
        search = {"PYTHONPATH": str(self.root), "GEM_LITE_CACHE": str(self.root / ".cache")}
        return subprocess.run(
            [*arguments, "--only", *chapters],
            cwd=self.root,
            env={**os.environ, **search, **environment},
            capture_output=True,
            text=True,
            timeout=3600,
        )

    def moved(self, *chapters: str, **environment: str) -> list[str]:
        """Names of the results that moved, in the order of the report."""
        result = self.regress("compare", chapters, **environment)
        assert result.returncode in (0, 1), result.stdout + result.stderr
        cases = ElementTree.parse(self.root / "_build" / "regress" / "tiny" / "junit.xml").getroot()
        assert len(cases) > 0
        names = [case.get("name", "") for case in cases if case.find("failure") is not None]
        assert result.returncode == (1 if names else 0), result.stdout + result.stderr
        return names
