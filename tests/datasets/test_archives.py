"""Archives: real ones come out whole, hostile ones are refused by name, damaged ones are never believed."""

import contextlib
import gzip
import io
import os
import random
import signal
import stat
import subprocess
import sys
import tarfile
import zipfile

import pytest
from archives_in_memory import tar_of

from gem_lite.datasets import archives as module
from gem_lite.datasets.archives import ArchiveError, extract_archive
from gem_lite.datasets.download import NoSpaceError

RNG = random.Random(0)
# Sizes around tar's blocks of 512 bytes, where stepping back by one byte matters.
FILES = {
    f"paris/{place}/paris_{place}_{number:06}.jpg": RNG.randbytes(size)
    for place in ("defense", "eiffel")
    for number, size in enumerate((1, 511, 512, 513, 1024, 4096, 4608, 70_000))
}
EMPTY = {"empty.txt": b""}


def saved(tmp_path, content, name="a.tgz"):
    path = tmp_path / name
    path.write_bytes(content)
    return path


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    """So that files end within, at and after a block."""
    monkeypatch.setattr(module, "BLOCK", 4096)


def unpack(path, target, **options):
    return extract_archive(path, target, progress=False, **options)


def tree(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def zip_of(files, change=lambda info: None):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            change(info)
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz", "zip"])
def test_every_kind_comes_out_as_it_went_in(tmp_path, mode):
    content = zip_of(FILES | EMPTY) if mode == "zip" else tar_of(FILES | EMPTY, mode)
    found = unpack(saved(tmp_path, content), tmp_path / "out")
    assert tree(tmp_path / "out") == FILES | EMPTY
    assert (found.files, found.bytes) == (17, sum(map(len, FILES.values())))


def test_folders_are_dropped_on_request(tmp_path):
    unpack(saved(tmp_path, tar_of(FILES)), tmp_path / "out", flatten=True)
    assert tree(tmp_path / "out") == {name.rsplit("/", 1)[1]: content for name, content in FILES.items()}


def tar_with(*members, mode="w:gz"):
    """An archive with one good file and then these (TarInfo, content)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode, format=tarfile.PAX_FORMAT) as tar:
        for entry, content in ((member("good.jpg", 4), b"good"), *members):
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def member(name, size=0, kind=tarfile.REGTYPE, link=""):
    entry = tarfile.TarInfo(name)
    entry.size, entry.type, entry.linkname = size, kind, link
    return entry


def hostile_tars(outside):
    yield "leads out", tar_with((member("../escaped", 3), b"bad"))
    yield "leads out", tar_with((member("a/../../escaped", 3), b"bad"))
    yield "leads out", tar_with((member(str(outside / "escaped"), 3), b"bad"))
    yield "leads out", tar_with((member("C:\\escaped", 3), b"bad"))
    yield "leads out", tar_with((member("..\\escaped", 3), b"bad"))
    yield "is a link", tar_with((member("link", kind=tarfile.SYMTYPE, link=str(outside)), b""))
    # A link into another folder, and then a file through it.
    through = (member("door/escaped", 3), b"bad")
    yield "is a link", tar_with((member("door", kind=tarfile.SYMTYPE, link=str(outside)), b""), through)
    yield "is a link", tar_with((member("hard", kind=tarfile.LNKTYPE, link="good.jpg"), b""))
    yield "is a link", tar_with((member("hard", kind=tarfile.LNKTYPE, link="/etc/passwd"), b""))
    for kind in (tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE):
        yield "is a device", tar_with((member("device", kind=kind), b""))
    yield "same name", tar_with((member("good.jpg", 3), b"bad"))
    yield "same name", tar_with((member("good.jpg", 4), b"evil"))


HOSTILE_TARS = 14


@pytest.mark.parametrize("number", range(HOSTILE_TARS))
def test_hostile_tars_are_refused_and_nothing_is_written_outside(tmp_path, number):
    outside = tmp_path / "outside"
    outside.mkdir()
    cases = list(hostile_tars(outside))
    assert len(cases) == HOSTILE_TARS
    reason, content = cases[number]
    with pytest.raises(ArchiveError, match=reason):
        unpack(saved(tmp_path, content), tmp_path / "out")
    assert tree(tmp_path) == {"a.tgz": content, "out/good.jpg": b"good"}
    assert not list(outside.iterdir())
    assert not [path for path in tmp_path.rglob("*") if path.is_symlink() or path.is_fifo()]


def as_link(info):
    info.external_attr = (stat.S_IFLNK | 0o777) << 16


@pytest.mark.parametrize(
    ("reason", "content"),
    [
        ("leads out", zip_of({"../escaped": b"bad"})),
        ("leads out", zip_of({"/escaped": b"bad"})),
        ("is a link", zip_of({"link": b"/etc/passwd"}, as_link)),
    ],
)
def test_hostile_zips_are_refused(tmp_path, reason, content):
    with pytest.raises(ArchiveError, match=reason):
        unpack(saved(tmp_path, content, "a.zip"), tmp_path / "out")
    assert tree(tmp_path) == {"a.zip": content}


def test_an_encrypted_member_is_named(tmp_path):
    content = bytearray(zip_of({"secret.jpg": b"secret"}))
    central = content.find(b"PK\x01\x02")
    content[6] |= 1
    content[central + 8] |= 1
    with pytest.raises(ArchiveError, match=r"secret\.jpg' is encrypted"):
        unpack(saved(tmp_path, bytes(content), "a.zip"), tmp_path / "out")


def test_links_that_are_there_already_are_not_followed(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "out" / "good.jpg").symlink_to(tmp_path / "precious")
    with pytest.raises(ArchiveError, match="is no file"):
        unpack(saved(tmp_path, tar_with()), tmp_path / "out")
    assert (tmp_path / "precious").read_text() == "mine"


def test_a_file_of_the_users_own_is_not_replaced(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "good.jpg").write_text("my own picture")
    with pytest.raises(ArchiveError, match="a file that is there already, with another content"):
        unpack(saved(tmp_path, tar_with()), tmp_path / "out")
    assert (tmp_path / "out" / "good.jpg").read_text() == "my own picture"


class Zeros(io.RawIOBase):
    """As many zeros as are asked for."""

    def readinto(self, buffer):
        buffer[:] = bytes(len(buffer))
        return len(buffer)


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_bombs_do_not_go_off(tmp_path, monkeypatch, kind):
    """A few kB that want to become 64 MB."""
    monkeypatch.setattr(module, "ALWAYS_ALLOWED", 2**20)
    if kind == "zip":
        content = zip_of({"bomb.jpg": bytes(2**26)})
    else:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=9) as tar:
            tar.addfile(member("bomb.jpg", 2**26), Zeros())
        content = buffer.getvalue()
    with pytest.raises(ArchiveError, match="to far more than a data set"):
        unpack(saved(tmp_path, content), tmp_path / "out")
    assert tree(tmp_path / "out") == {}


def test_headers_of_absurd_size_are_not_read(tmp_path):
    """A header of pax that claims 8 GB would be read into memory whole."""
    header = member("././@PaxHeader", 2**33, tarfile.XHDTYPE).tobuf(tarfile.GNU_FORMAT)
    content = gzip.compress(header + bytes(2**20))
    with pytest.raises(ArchiveError, match="absurd size"):
        unpack(saved(tmp_path, content), tmp_path / "out")


def test_sparse_members_are_refused(tmp_path):
    entry = member("sparse.jpg", 0, tarfile.GNUTYPE_SPARSE).tobuf(tarfile.GNU_FORMAT)
    with pytest.raises(ArchiveError, match=r"sparse\.jpg' is a device or something stranger"):
        unpack(saved(tmp_path, entry + bytes(1024), "a.tar"), tmp_path / "out")


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz", "zip"])
def test_a_cut_archive_is_never_believed(tmp_path, mode):
    """Also not where the cut falls between two members, which tarfile alone would take for the end."""
    files = {f"{number}.jpg": RNG.randbytes(900) for number in range(12)}
    content = zip_of(files) if mode == "zip" else tar_of(files, mode)
    ends = {RNG.randrange(1, len(content) - 1024) for _ in range(12)}
    if mode == "w":
        ends |= set(range(512, 512 * 3 * 12, 512))
    for number, end in enumerate(sorted(ends)):
        with pytest.raises(ArchiveError, match=r"damaged or cut|no archive"):
            unpack(saved(tmp_path, content[:end]), tmp_path / str(number))


def test_damaged_archives_never_give_wrong_files(tmp_path):
    """Bytes are changed at random: what comes out without an error must be right."""
    files = {f"{number}.jpg": RNG.randbytes(700) for number in range(6)}
    for mode in ("w:gz", "w:bz2", "zip"):
        whole = zip_of(files) if mode == "zip" else tar_of(files, mode)
        for seed in range(30):
            rng = random.Random(seed)
            content = bytearray(whole)
            for _ in range(rng.randint(1, 5)):
                content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
            out = tmp_path / f"{mode[-2:]}{seed}"
            with contextlib.suppress(ArchiveError):
                unpack(saved(tmp_path, bytes(content)), out)
                assert set(tree(out).values()) == set(files.values())


def test_what_is_no_archive_is_said(tmp_path):
    page = b"<!DOCTYPE html><html>Please log in to the network</html>" * 20
    with pytest.raises(ArchiveError, match="it is no archive, it begins with b'<!DOCTYPE html>"):
        unpack(saved(tmp_path, page), tmp_path / "out")
    with pytest.raises(ArchiveError):
        unpack(saved(tmp_path, b""), tmp_path / "out")
    with pytest.raises(ArchiveError, match="holds no file"):
        unpack(saved(tmp_path, tar_of({})), tmp_path / "out")


# Extracts, and is killed in the middle of writing a file.
CHILD = """
import dataclasses, os, signal, sys
from gem_lite.datasets import archives

class Dying:
    def __init__(self, file):
        self.file, self.reads = file, 0
    def __enter__(self):
        return self
    def __exit__(self, *_):
        pass
    def read(self, size):
        self.reads += 1
        if self.reads == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return self.file.read(1000)

real, left = archives._write, [int(sys.argv[3])]

def write(member, path, twice):
    left[0] -= 1
    if left[0] == 0:
        whole = member.open
        member = dataclasses.replace(member, open=lambda: Dying(whole()))
    real(member, path, twice)

archives._write = write
archives.extract_archive(sys.argv[1], sys.argv[2], progress=False)
"""


@pytest.mark.parametrize("seed", range(2))
def test_a_killed_extraction_leaves_whole_files_only_and_is_gone_on_with(root, tmp_path, seed):
    files = {f"{number:04}.jpg": random.Random(number).randbytes(5_000) for number in range(300)}
    path = saved(tmp_path, tar_of(files, "w"))
    last = random.Random(seed).randrange(2, 300)
    child = [sys.executable, "-c", CHILD, str(path), str(tmp_path / "out"), str(last)]
    done = subprocess.run(child, env={**os.environ, "PYTHONPATH": str(root)})
    assert done.returncode == -signal.SIGKILL
    left = tree(tmp_path / "out")
    found = {name: content for name, content in left.items() if not name.startswith(".")}
    assert (len(found), len(left)) == (last - 1, last), "and one that is half written, under another name"
    assert all(files[name] == content for name, content in found.items())
    times = {name: (tmp_path / "out" / name).stat().st_mtime_ns for name in found}
    unpack(path, tmp_path / "out")
    assert tree(tmp_path / "out") == files, "and nothing half-written is left"
    assert all((tmp_path / "out" / name).stat().st_mtime_ns == then for name, then in times.items())


@pytest.mark.parametrize("small_disk", ["120k"], indirect=True)
def test_a_full_disk_is_said_before_and_while_it_fills(tmp_path, monkeypatch, small_disk):
    path = saved(tmp_path, tar_of(FILES, "w"))
    with pytest.raises(NoSpaceError, match=r"unpacking a\.tgz needs"):
        unpack(path, small_disk)
    assert not list(small_disk.iterdir())
    # And where the disk fills up in between, because somebody else writes, too.
    monkeypatch.setattr(module, "require_space", lambda *_: None)
    with pytest.raises(OSError, match="No space left"):
        unpack(path, small_disk)
    assert all(FILES[name] == content for name, content in tree(small_disk).items())
