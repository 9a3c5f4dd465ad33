"""What is carried to a machine without a network: enough, nothing for another machine, torch never."""

import ast
import importlib.metadata
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from minibook import ROOT

from book.builder.chapters import Chapter
from book.gpu import wheels
from book.gpu.wheels import BROUGHT_BY_THE_MACHINE, environment_of, needed, read_lock, roots, unpack

LOCK = """\
appnope==0.1.4 ; sys_platform == 'darwin' \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via ipykernel
ipykernel==7.0 \\
    --hash=sha256:cc
    # via
    #   gem-lite (pyproject.toml)
    #   papermill
pyzmq==27.0 ; python_full_version < '3.12' \\
    --hash=sha256:dd
    # via ipykernel
pyzmq==28.0 ; python_full_version >= '3.12' \\
    --hash=sha256:ee
    # via ipykernel
sympy==1.14 \\
    --hash=sha256:ff
    # via torch
torch==2.12 \\
    --hash=sha256:11
    # via gem-lite (pyproject.toml)
"""
# What runs on the other machine; it imports more of the book's own modules.
RUNNING = ("book.gpu.__main__", "book.gpu.work", "book.builder.worker", "book.regress.accept")
OWN = {"gem_lite", "figures", "book", "builder"}
OPTIONAL = {"playwright", "faiss", "onnx", "onnxruntime", "onnxscript"}  # done without where missing


def chosen(python: str = "3.12", without: tuple[str, ...] = ()) -> list[wheels.Pin]:
    pins = read_lock((ROOT / "requirements.lock").read_text())
    return needed(pins, roots(ROOT), {*BROUGHT_BY_THE_MACHINE, *without}, environment_of(python))


def test_lock_is_read_with_its_annotations() -> None:
    pins = read_lock(LOCK)
    assert [pin.name for pin in pins] == ["appnope", "ipykernel", "pyzmq", "pyzmq", "sympy", "torch"]
    assert pins[0].hashes == ("--hash=sha256:aa", "--hash=sha256:bb")
    assert pins[0].marker == "sys_platform == 'darwin'"
    assert pins[1].parents == {"gem-lite", "papermill"}


def test_needed_is_what_the_roots_lead_to_on_that_machine() -> None:
    found = needed(read_lock(LOCK), ["ipykernel", "torch"], {"torch"}, environment_of("3.12"))
    assert [(pin.name, pin.version) for pin in found] == [("ipykernel", "7.0"), ("pyzmq", "28.0")]
    older = needed(read_lock(LOCK), ["ipykernel"], set(), environment_of("3.11"))
    assert older[-1].version == "27.0"


def test_neither_torch_nor_its_libraries_are_carried() -> None:
    names = {pin.name for pin in chosen()}
    assert {"papermill", "ipykernel", "numpy", "opencv-python-headless", "pyzmq"} <= names
    assert not [name for name in names if name.startswith(("torch", "nvidia", "triton", "cuda"))]
    assert not names & {"jupyterlab", "sphinx", "ruff", "pytest", "playwright"}
    assert "numpy" not in {pin.name for pin in chosen(without=("numpy",))}


def imports_of(source: str, package: str = "") -> Iterator[str]:
    """Modules that a source imports as soon as it is imported itself, not from inside of a function."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = f"{package}.{node.module or ''}".rstrip(".") if node.level else node.module or ""
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def sources_of_the_book() -> Iterator[str]:
    """Of `RUNNING` and of all that they import from the book."""
    seen, waiting = set[str](), [*RUNNING]
    while waiting:
        name = waiting.pop()
        file = ROOT / f"{name.replace('.', '/')}.py"
        if name in seen or not file.is_file():
            continue
        seen.add(name)
        yield file.read_text()
        found = imports_of(file.read_text(), name.rpartition(".")[0])
        waiting += [module for module in found if module.startswith("book.")]


def test_everything_that_executing_a_chapter_imports_is_there() -> None:
    """Looked up in the sources: on a machine with a full environment nothing would be missed."""
    sources = [
        path.read_text() for folder in ("gem_lite", "figures") for path in (ROOT / folder).rglob("*.py")
    ]
    sources += [Chapter(path).code for path in (ROOT / "book").glob("*.ipynb")]
    modules = {name.partition(".")[0] for s in (*sources, *sources_of_the_book()) for name in imports_of(s)}
    modules -= {*sys.stdlib_module_names, *OWN, *OPTIONAL, ""}
    assert {"papermill", "nbformat", "skimage", "torch", "matplotlib"} <= modules
    assert not modules & {"sphinx", "docutils", "bs4"}, "pages are rendered elsewhere"
    carried = {pin.name for pin in chosen()} | set(BROUGHT_BY_THE_MACHINE)
    homes = importlib.metadata.packages_distributions()
    for module in sorted(modules):
        names = {re.sub(r"[-_.]+", "-", name).lower() for name in homes.get(module, [module])}
        assert names & carried, f"{module} of {names} is imported and not carried: wheels.EXECUTING"


def wheel(folder: Path, name: str, files: dict[str, str]) -> None:
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / name, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)


def test_unpacked_wheels_can_be_imported(tmp_path: Path) -> None:
    wheel(tmp_path / "w", "one-1-py3-none-any.whl", {"one.py": "import two\nprint(two.NAME)"})
    wheel(tmp_path / "w", "two-1-py2.py3-none-any.whl", {"two-1.data/purelib/two.py": "NAME = 'two'"})
    site = unpack(tmp_path / "w", tmp_path / "site")
    command = [sys.executable, "-c", "import one"]
    assert subprocess.run(command, env={"PYTHONPATH": str(site)}, capture_output=True).stdout == b"two\n"
    (site / "one.py").write_text("")
    assert (unpack(tmp_path / "w", site) / "one.py").read_text() == "", "unpacked once"
    wheel(tmp_path / "w", "three-1-py3-none-any.whl", {"three.py": ""})
    assert (unpack(tmp_path / "w", site) / "one.py").read_text() != "", "another set, another folder"


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("zmq-1-cp{tag}-cp{tag}-manylinux_2_28_x86_64.whl", True),
        ("zmq-1-cp38-abi3-manylinux2014_x86_64.whl", True),
        ("zmq-1-cp27-cp27m-linux_x86_64.whl", False),
    ],
)
def test_a_wheel_for_another_python_is_refused(tmp_path: Path, name: str, fits: bool) -> None:
    tag = f"{sys.version_info[0]}{sys.version_info[1]}"
    wheel(tmp_path / "w", name.format(tag=tag), {"zmq.py": ""})
    if fits:
        assert (unpack(tmp_path / "w", tmp_path / "site") / "zmq.py").is_file()
    else:
        with pytest.raises(SystemExit, match=r"not for it: \['zmq-1-cp27"):
            unpack(tmp_path / "w", tmp_path / "site")


def test_an_empty_folder_says_where_wheels_come_from(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="make wheels"):
        unpack(tmp_path, tmp_path / "site")
