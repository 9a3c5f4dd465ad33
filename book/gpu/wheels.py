"""Wheels of what the chapters need, for a machine without a network that has its own torch.

``python -m book.gpu.wheels _wheels`` downloads them, at the versions of ``requirements.lock``. Unpacking them
takes the standard library alone: on the other machine it comes before everything else.
"""

import argparse
import platform
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LOCK, PROJECT = "requirements.lock", "pyproject.toml"
# What a chapter is executed and compared with; pages are rendered elsewhere.
EXECUTING = (
    "ipykernel",
    "ipywidgets",
    "matplotlib",
    "nbformat",
    "papermill",
    "psutil",
    "pyyaml",
    "scikit-image",
)
BROUGHT_BY_THE_MACHINE = ("torch", "torchvision")
NEWEST_GLIBC = 39
PIN = re.compile(r"^(?P<name>[a-z0-9.-]+)==(?P<version>[^ ;\\]+)(?: *; *(?P<marker>[^\\]*?))? *\\?$")
VIA = re.compile(r"^ +# +(?:via +)?(?P<parent>\S.*)$")


@dataclass(frozen=True)
class Pin:
    """One line of the lock, with its hashes and those whom it is pinned for."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]
    parents: frozenset[str]


def read_lock(text: str) -> list[Pin]:
    """The pins of a lock as `uv pip compile --generate-hashes` writes it, annotations included."""
    pins: list[Pin] = []
    head: re.Match[str] | None = None
    hashes: list[str] = []
    parents: list[str] = []

    def close() -> None:
        if head is not None:
            marker = (head["marker"] or "").strip()
            pins.append(Pin(head["name"], head["version"], marker, tuple(hashes), frozenset(parents)))

    for line in text.splitlines():
        if found := PIN.match(line):
            close()
            head, hashes, parents = found, [], []
        elif line.strip().startswith("--hash="):
            hashes.append(line.strip().removesuffix("\\").strip())
        elif (found := VIA.match(line)) and found["parent"] != "via":
            parents.append(found["parent"].split()[0])
    close()
    return pins


def needed(
    pins: Iterable[Pin], roots: Iterable[str], without: Collection[str], environment: Mapping[str, str]
) -> list[Pin]:
    """The pins that these roots lead to on a machine of this environment, past those that it has already.

    Args:
        pins: of the lock; a name may be pinned twice under different markers.
        roots: names of distributions.
        without: neither these nor what is needed for nothing but these.
        environment: of the other machine, as for `packaging.markers.Marker.evaluate`.
    """
    from packaging.markers import Marker

    there = [pin for pin in pins if not pin.marker or Marker(pin.marker).evaluate(dict(environment))]
    wanted, waiting = set[str](), [name for name in roots if name not in without]
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            waiting += [pin.name for pin in there if name in pin.parents and pin.name not in without]
    return [pin for pin in there if pin.name in wanted]


def roots(root: Path) -> list[str]:
    """What the project needs for itself, and what executes its chapters."""
    project = tomllib.loads((root / PROJECT).read_text(encoding="utf8"))["project"]
    own = [re.split(r"[^\w.-]", line)[0].lower() for line in project["dependencies"]]
    return [*own, *EXECUTING]


def environment_of(python: str) -> dict[str, str]:
    """Markers of CPython of this version, such as 3.12, on Linux and an x86-64 processor."""
    from packaging.markers import default_environment

    return {
        **{name: str(value) for name, value in default_environment().items()},
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "os_name": "posix",
        "platform_machine": "x86_64",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "extra": "",
    }


def download(pins: Sequence[Pin], folder: Path, python: str) -> None:
    """Put the pins' wheels for that machine into a folder; what lies there already is not fetched again.

    Raises:
        SystemExit: when pip finds no wheel.
    """
    folder.mkdir(parents=True, exist_ok=True)
    listing = folder / "requirements.txt"
    lines = (f"{pin.name}=={pin.version} {' '.join(pin.hashes)}" for pin in pins)
    listing.write_text("\n".join(lines) + "\n", encoding="utf8")
    glibc = [f"manylinux_2_{minor}_x86_64" for minor in range(NEWEST_GLIBC, 4, -1)]
    platforms = [*glibc, "manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64", "linux_x86_64"]
    digits = python.replace(".", "")
    command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--quiet"]
    command += ["--no-deps", "--only-binary=:all:", "--require-hashes", "--dest", str(folder)]
    command += ["--find-links", str(folder), "--python-version", python, "--implementation", "cp"]
    command += [f"--abi={abi}" for abi in (f"cp{digits}", "abi3", "none")]
    command += [f"--platform={name}" for name in platforms]
    status = subprocess.run([*command, "-r", str(listing)]).returncode
    if status:
        raise SystemExit(f"pip could not download all wheels for Python {python}; see above")
    _forget(folder, pins)


def _forget(folder: Path, pins: Sequence[Pin]) -> None:
    """Remove wheels that an older lock has left: two versions of one package make a mixture."""
    wanted = {(re.sub(r"[-_.]+", "_", pin.name), pin.version) for pin in pins}
    for wheel in folder.glob("*.whl"):
        name, version = wheel.name.split("-")[:2]
        if (re.sub(r"[-_.]+", "_", name.lower()), version) not in wanted:
            wheel.unlink()


def unpack(folder: Path, site: Path) -> Path:
    """Unpack all wheels of a folder side by side, to be a place of Python's search path; returns it.

    Not what pip does: no scripts and no files beside the packages. A chapter needs neither.

    Raises:
        SystemExit: when there is no wheel, or one for another Python.
    """
    wheels = sorted(folder.glob("*.whl"))
    if not wheels:
        raise SystemExit(f"there is no wheel in {folder}: run make wheels where there is a network")
    tag = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    foreign = [wheel.name for wheel in wheels if not _fits(wheel, tag)]
    if foreign:
        raise SystemExit(f"this is Python {platform.python_version()}, and these are not for it: {foreign}")
    mark = site / ".wheels"
    names = "\n".join(wheel.name for wheel in wheels)
    if mark.is_file() and mark.read_text() == names:
        return site
    shutil.rmtree(site, ignore_errors=True)
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)
    for part in ("purelib", "platlib"):
        for lying in site.glob(f"*.data/{part}"):
            shutil.copytree(lying, site, dirs_exist_ok=True)
    mark.write_text(names)
    return site


def _fits(wheel: Path, tag: str) -> bool:
    """Whether a wheel is for this Python: pure, for its own version, or for its stable interface."""
    python, abi = wheel.stem.split("-")[-3:-1]
    return "py3" in python or tag in python.split(".") or abi == "abi3"


def main(arguments: Sequence[str] | None = None) -> None:
    """Download the wheels and say how large they are."""
    parser = argparse.ArgumentParser(prog="python -m book.gpu.wheels", description=main.__doc__)
    parser.add_argument("folder", type=Path, help="where to put them")
    parser.add_argument("--python", default="3.12", help="of the other machine (default: 3.12)")
    parser.add_argument(
        "--without", nargs="*", default=[], help="what it has already beside torch and torchvision"
    )
    options = parser.parse_args(arguments)
    root = Path(__file__).resolve().parents[2]
    pins = read_lock((root / LOCK).read_text(encoding="utf8"))
    without = {*BROUGHT_BY_THE_MACHINE, *options.without}
    chosen = needed(pins, roots(root), without, environment_of(options.python))
    download(chosen, options.folder, options.python)
    size = sum(wheel.stat().st_size for wheel in options.folder.glob("*.whl")) / 2**20
    print(f"{len(chosen)} wheels for Python {options.python}, {size:.0f} MiB, in {options.folder}")


if __name__ == "__main__":
    main()
