"""File names from somebody else: what may be joined to a folder."""

from pathlib import Path, PurePosixPath, PureWindowsPath

# What a folder of pictures is searched for.
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"}


def leads_out(name: str) -> bool:
    """Whether a name, joined to a folder, would lead out of it, on any system.

    >>> leads_out("paris/defense/1.jpg"), leads_out("../1.jpg"), leads_out("/1.jpg"), leads_out("C:\\\\1.jpg")
    (False, True, True, True)
    """
    flavours = (PurePosixPath(name), PureWindowsPath(name))
    return any(path.is_absolute() or path.drive or ".." in path.parts or path.root for path in flavours)


def image_path(folder: Path, name: str) -> Path:
    """Where the picture of a name in a ground truth lies; those of the benchmarks are without suffix.

    >>> image_path(Path("jpg"), "all_souls_000013").as_posix()
    'jpg/all_souls_000013.jpg'
    """
    return folder / (name if Path(name).suffix.lower() in SUFFIXES else f"{name}.jpg")


def folder_images(folder: Path) -> list[str]:
    """Names of all pictures below a folder, relative to it, sorted. Hidden files and folders are left out.

    Raises:
        ValueError: if there is no such folder, or no picture in it.
    """
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}")
    found = (path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    relative = (path.relative_to(folder) for path in found)
    names = sorted(p.as_posix() for p in relative if not any(part.startswith(".") for part in p.parts))
    if not names:
        raise ValueError(f"there is no picture below {folder}; looked for {', '.join(sorted(SUFFIXES))}")
    return names
