"""The repository's address is one setting; buttons and links follow from it, and are left out without it."""

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup
from IPython.core.interactiveshell import InteractiveShell
from minibook import ROOT, MiniBook
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from book.builder.errors import BuildError
from book.builder.repository import Repository, repository, setup_source, with_setup

URL = "https://github.com/someone/somewhere"
SOURCE = "from figures.source import source\nfrom gem_lite.pooling import mac\nsource(mac)"


def set_address(config: Path, url: str) -> None:
    text = config.read_text()
    assert text.count('  url: ""\n') == 1
    config.write_text(text.replace('  url: ""\n', f'  url: "{url}"\n'))


@pytest.mark.parametrize("url", ["", "null", "''"])
def test_unset(url: str, tmp_path: Path) -> None:
    config = tmp_path / "_config.yml"
    config.write_text(f"repository:\n  url: {url}\n")
    assert repository(config) is None


@pytest.mark.parametrize("given", [URL, f"{URL}/", f"{URL}.git"])
def test_set(given: str, tmp_path: Path) -> None:
    config = tmp_path / "_config.yml"
    config.write_text(f"repository:\n  url: {given}\n  branch: trunk\n")
    assert repository(config) == Repository(URL, "trunk")


@pytest.mark.parametrize("given", ["github.com/a/b", "https://github.com/a", "https://example.org/a/b"])
def test_another_address_is_refused_with_the_form_that_is_wanted(given: str, tmp_path: Path) -> None:
    config = tmp_path / "_config.yml"
    config.write_text(f"repository:\n  url: {given}\n")
    with pytest.raises(BuildError, match=r"https://github\.com/OWNER/NAME"):
        repository(config)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> MiniBook:
    """A small book with an address, built."""
    mini = MiniBook(tmp_path_factory.mktemp("book"))
    set_address(mini.root / "_config.yml", URL)
    mini.module("source", (ROOT / "figures" / "source.py").read_text())
    mini.chapter("01_a", SOURCE)
    result = mini.build()
    assert result.returncode == 0, result.stdout + result.stderr
    return mini


def links(mini: MiniBook, page: str) -> dict[str, str]:
    """Text to address of the buttons above a page."""
    html = (mini.root / "_build" / "html" / f"{page}.html").read_text()
    buttons = BeautifulSoup(html, "html.parser").select(".article-header-buttons a[href]")
    return {button.get_text(strip=True): str(button["href"]) for button in buttons}


@pytest.mark.slow
def test_buttons_lead_to_files_that_exist(built: MiniBook) -> None:
    found = links(built, "01_a")
    assert found["Repository"] == URL
    files = {
        "Colab": "https://colab.research.google.com/github/someone/somewhere/blob/main/",
        "Binder": "https://mybinder.org/v2/gh/someone/somewhere/main?urlpath=lab/tree/",
        "Suggest edit": f"{URL}/edit/main/",
    }
    for name, start in files.items():
        assert found[name].startswith(start)
        assert (built.root / found[name].removeprefix(start)).is_file(), found[name]
    assert (built.root / "_build/html" / found[".ipynb"]).is_file()
    plain = links(built, "intro")
    assert "Suggest edit" in plain
    assert "Colab" not in plain, "a plain page is no notebook"


@pytest.mark.slow
def test_shown_source_links_to_its_lines(built: MiniBook) -> None:
    html = (built.root / "_build/html/01_a.html").read_text()
    link = BeautifulSoup(html, "html.parser").select_one(f'article a[href^="{URL}/blob/main/gem_lite"]')
    assert link is not None
    path, _, lines = str(link["href"]).removeprefix(f"{URL}/blob/main/").partition("#L")
    first, last = (int(number) for number in lines.split("-L"))
    text = (ROOT / path).read_text().splitlines()
    assert text[first - 1].startswith("def mac(")
    assert text[last - 1].strip().startswith("return")
    assert link.get_text() == f"{path}, lines {first}–{last}"


def test_without_an_address_the_file_is_named() -> None:
    from figures.source import source
    from gem_lite.pooling import mac, spoc

    last = source(mac, spoc).data.splitlines()[-1]
    assert last.startswith("*From* `gem_lite/pooling.py`, lines ")
    assert last.count("gem_lite/pooling.py") == 2
    assert "](" not in last


def small_chapter() -> Any:
    cells = [new_markdown_cell("# A"), new_code_cell("profile = 'tiny'", metadata={"tags": ["parameters"]})]
    return new_notebook(cells=cells)


def test_the_set_up_cell_comes_first_once_and_goes_again() -> None:
    notebook = with_setup(with_setup(small_chapter(), Repository(URL, "old")), Repository(URL, "main"))
    assert [cell.cell_type for cell in notebook.cells] == ["markdown", "code", "code"]
    assert notebook.cells[1].source == setup_source(Repository(URL, "main"))
    nbformat.validate(notebook)
    assert len(with_setup(notebook, None).cells) == 2


def test_chapters_are_in_step_with_the_setting() -> None:
    place = repository(ROOT / "_config.yml")
    for path in sorted((ROOT / "book").glob("*.ipynb")):
        cells = nbformat.read(path, as_version=4).cells
        wanted = with_setup(nbformat.read(path, as_version=4), place).cells
        assert cells == wanted, f"{path.name}: run python -m book.builder.repository"


def test_the_command_writes_and_removes_the_cell(mini: MiniBook) -> None:
    mini.chapter("01_a")
    path = mini.book / "01_a.ipynb"
    command = [sys.executable, "-m", "book.builder.repository"]
    before = nbformat.read(path, as_version=4)
    set_address(mini.root / "_config.yml", URL)
    subprocess.run(command, cwd=mini.root, env=mini.environment, check=True, capture_output=True)
    assert URL in nbformat.read(path, as_version=4).cells[1].source
    (mini.root / "_config.yml").write_text((ROOT / "_config.yml").read_text())
    subprocess.run(command, cwd=mini.root, env=mini.environment, check=True, capture_output=True)
    assert nbformat.read(path, as_version=4).cells == before.cells


def origin(folder: Path) -> Path:
    """A repository on this machine with the layout of the project."""
    project = folder / "origin"
    for name in ("figures/only_there.py", "book/data.txt"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("FOUND = True\n")
    identity = ["-c", "user.name=n", "-c", "user.email=e"]
    for command in (["init", "-qb", "main"], ["add", "."], [*identity, "commit", "-qm", "all"]):
        subprocess.run(["git", *command], cwd=project, check=True, capture_output=True)
    return project


def test_on_colab_the_set_up_cell_fetches_installs_and_finds_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run in an IPython of its own, with a repository on this machine; only pip is a stand-in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    shell = InteractiveShell()
    installed: list[str] = []
    shell.register_magic_function(installed.append, magic_name="pip")
    address = f"file://{origin(tmp_path)}"
    for _ in range(2):  # once more after a restart of the kernel, in the same folder
        os.chdir(tmp_path)
        shell.run_cell(setup_source(Repository(address, "main"))).raise_error()
    assert installed == ["install --quiet --editable ./origin"] * 2
    assert Path("data.txt").is_file(), "chapters run in the folder book"
    assert Path(sys.path[0], "figures", "only_there.py").is_file()


def test_elsewhere_the_set_up_cell_does_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    InteractiveShell().run_cell(setup_source(Repository("file:///nowhere", "main"))).raise_error()
    assert (sys.path, list(tmp_path.iterdir())) == (before, [])


def test_binder_finds_what_it_builds_from() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert {"pip": ["-r requirements.lock"]} in environment["dependencies"]
    script = ROOT / "postBuild"
    assert os.access(script, os.X_OK), "Binder runs it after the environment is made"
    assert "pip install --no-deps" in script.read_text()
