"""The repository's address: one setting, `repository: url` in `_config.yml`, and all that follows from it.

While it is unset the pages have no repository, Colab and Binder buttons, and a shown source names its file
without a link: nothing points to a place that is not there.

As a command, ``python -m book.builder.repository``, it brings the chapters' set-up cell for Colab in step
with the setting.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import yaml
from sphinx.application import Sphinx
from sphinx.config import Config

from .errors import BuildError

COLAB = "https://colab.research.google.com"
BINDER = "https://mybinder.org"
SETUP_TAG = "colab"


@dataclass(frozen=True)
class Repository:
    """Where the project's files are on the web."""

    url: str
    branch: str

    @property
    def on_github(self) -> bool:
        """Colab opens notebooks from there only."""
        return self.url.startswith("https://github.com/")

    def file(self, path: str, first: int, last: int) -> str:
        """Address of some lines of a file of the repository."""
        if self.on_github:
            return f"{self.url}/blob/{self.branch}/{path}#L{first}-L{last}"
        return f"{self.url}/-/blob/{self.branch}/{path}#L{first}-{last}"


def repository(config: Path) -> Repository | None:
    """The setting in a `_config.yml`; None while it is unset.

    Raises:
        BuildError: for an address that is not that of a repository on GitHub or GitLab.
    """
    setting = (yaml.safe_load(config.read_text(encoding="utf8")) or {}).get("repository") or {}
    url = str(setting.get("url") or "").rstrip("/").removesuffix(".git")
    if not url:
        return None
    if not re.fullmatch(r"https://(github|gitlab)\.com/[\w.-]+/[\w.-]+", url):
        raise BuildError(
            f"{config}: repository: url is {url!r}; write https://github.com/OWNER/NAME (or gitlab.com), "
            "or leave it empty"
        )
    return Repository(url, str(setting.get("branch") or "main"))


def setup_source(place: Repository) -> str:
    """The cell that a chapter begins with on Colab, which has nothing but the notebook.

    The folder is put on the path by hand: a kernel that is running does not see an editable installation.
    """
    name = place.url.rsplit("/", 1)[-1]
    return f"""\
# On Colab: fetch and install the project. Everywhere else this cell does nothing.
import sys

if "google.colab" in sys.modules:
    !test -d {name} || git clone --quiet --depth 1 --branch {place.branch} {place.url} {name}
    %pip install --quiet --editable ./{name}
    %cd {name}/book
    sys.path.insert(0, "..")"""


def with_setup(notebook: Any, place: Repository | None) -> Any:
    """The notebook with the set-up cell of this address before its code; without one when it is None."""
    cells = [cell for cell in notebook.cells if SETUP_TAG not in cell.metadata.get("tags", [])]
    if place is not None:
        first = next(i for i, cell in enumerate(cells) if cell.cell_type == "code")
        setup = nbformat.v4.new_code_cell(
            setup_source(place), id="colab-setup", metadata={"tags": [SETUP_TAG, "remove-cell"]}
        )
        cells.insert(first, setup)
    notebook.cells = cells
    return notebook


def add_buttons(app: Sphinx, config: Config) -> None:
    """Sphinx: the buttons of every page, where there is an address. The theme makes the links."""
    options = config.html_theme_options
    url = options.get("repository_url", "")
    if not url:
        return
    options.update(use_repository_button=True, use_edit_page_button=True, use_issues_button=True)
    buttons = {"notebook_interface": "jupyterlab", "binderhub_url": BINDER, "thebe": False}
    if Repository(url, "").on_github:
        buttons["colab_url"] = COLAB
    options["launch_buttons"] = buttons


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("config-inited", add_buttons, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def main() -> int:
    """Write the set-up cell into every chapter, or take it out."""
    root = Path.cwd()
    try:
        place = repository(root / "_config.yml")
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    for path in sorted((root / "book").glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        before = list(notebook.cells)
        if with_setup(notebook, place).cells != before:
            nbformat.write(notebook, path)
            print(f"{path.relative_to(root)}: set-up cell {'for ' + place.url if place else 'removed'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
