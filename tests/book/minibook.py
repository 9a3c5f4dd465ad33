"""A small book in a temporary folder, built by the real builder in a process of its own."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).resolve().parents[2]
PARAMETERS = 'profile = "tiny"\nseed = 0'
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


class MiniBook:
    """A checkout of its own: this one's builder and configuration, a package ``figures``, chapters."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.book = root / "book"
        for name in ("builder", "profiles", "assets"):
            shutil.copytree(ROOT / "book" / name, self.book / name)
        shutil.copy(ROOT / "_config.yml", root)
        (self.book / "references.bib").write_text("")
        (root / "requirements.lock").write_text("numpy==2.0\n")
        self.module("__init__", "")
        self.page("intro", "# Intro\n\nWords.")
        self.chapters: list[str] = []

    def module(self, name: str, source: str) -> None:
        """Write ``figures/<name>.py``, which the chapters can import."""
        (self.root / "figures").mkdir(exist_ok=True)
        (self.root / "figures" / f"{name}.py").write_text(source)

    def page(self, name: str, text: str) -> None:
        (self.book / f"{name}.md").write_text(text)

    def chapter(self, name: str, *cells: str, parameters: str = PARAMETERS, **metadata: Any) -> None:
        """Write a chapter and put it at the end of the table of contents. ``# ...`` opens a text cell."""
        notebook = new_notebook(metadata={"kernelspec": KERNEL, "gem_lite": metadata})
        notebook.cells = [
            new_markdown_cell(f"# Chapter {name}"),
            new_code_cell(parameters, metadata={"tags": ["parameters"]}),
            *(new_markdown_cell(c) if c.startswith("#") else new_code_cell(c) for c in cells),
        ]
        nbformat.write(notebook, self.book / f"{name}.ipynb")
        if name not in self.chapters:
            self.chapters.append(name)
        files = "".join(f"- file: {chapter}\n" for chapter in self.chapters)
        (self.book / "_toc.yml").write_text(f"format: jb-book\nroot: intro\nchapters:\n{files}")

    @property
    def environment(self) -> dict[str, str]:
        search = os.pathsep.join([str(self.root), str(ROOT)])
        return {**os.environ, "PYTHONPATH": search, "GEM_LITE_CACHE": str(self.root / "cache")}

    def command(self, *arguments: str) -> Sequence[str]:
        return [sys.executable, "-m", "book.builder", "--profile", "tiny", *arguments]

    def build(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
        )

    def executes(self, *arguments: str) -> list[str]:
        """Build without pages; the chapters that were executed, in the order in which they ended."""
        result = self.build("--no-pages", *arguments)
        assert result.returncode == 0, result.stdout + result.stderr
        report = result.stdout.partition("chapter ")[0]
        return [line.split()[0] for line in report.splitlines() if line.startswith("  ")]

    def executed(self, name: str) -> Path:
        return self.root / "_build" / "executed" / "tiny" / f"{name}.ipynb"

    def record(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.executed(name).with_suffix(".json").read_text())
        return found
