"""Archives in memory."""

import io
import tarfile
from pathlib import Path


def tar_of(files: dict[str, bytes], mode: str = "w:gz") -> bytes:
    """An archive of these files, with their folders."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as tar:
        folders: set[str] = set()
        for name, content in files.items():
            for parent in reversed(Path(name).parents):
                if parent != Path() and str(parent) not in folders:
                    folders.add(str(parent))
                    entry = tarfile.TarInfo(str(parent))
                    entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                    tar.addfile(entry)
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
