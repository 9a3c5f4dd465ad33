"""Downloads end whole or not at all, whatever the server, the disk or a kill does."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest
from flaky_server import Fault

from gem_lite.datasets import download as module
from gem_lite.datasets.download import (
    ChecksumError,
    DownloadError,
    NoSpaceError,
    download,
    forget,
    origin,
    require_space,
    sha256_of,
)

CONTENT = random.Random(0).randbytes(300_000)
SHA = hashlib.sha256(CONTENT).hexdigest()


def get(address, path, *arguments, **options):
    return download(address, path, *arguments, **{"progress": False, "pause": 0.001, **options})


def left_over(path):
    """Names of what lies beside a downloaded file, apart from its note."""
    return sorted(
        p.name for p in path.parent.iterdir() if p not in (path, origin(path)) and ".lock" not in p.name
    )


def test_a_file_arrives_whole_with_a_note_of_where_it_came_from(server, tmp_path):
    path = get(server.add("a.tgz", CONTENT), tmp_path / "new" / "a.tgz")
    assert path.read_bytes() == CONTENT
    note = json.loads(origin(path).read_text())
    assert (note["sha256"], note["bytes"], note["address"]) == (SHA, len(CONTENT), f"{server.address}/a.tgz")
    assert left_over(path) == []
    get(server.add("a.tgz", b"changed"), path)
    assert len(server.requests) == 1, "a file that is there is not fetched again"


@pytest.mark.parametrize("seed", range(8))
def test_cuts_at_random_points_are_mended_without_fetching_anything_twice(server, tmp_path, seed):
    rng = random.Random(seed)
    cuts = [Fault(cut_after=rng.randrange(1, len(CONTENT) // 4)) for _ in range(4)]
    path = get(server.add("a", CONTENT, *cuts), tmp_path / "a")
    assert path.read_bytes() == CONTENT
    assert len(server.requests) == 5
    assert sum(request.sent for request in server.requests) == len(CONTENT)
    assert all(request.range for request in server.requests[1:])


@pytest.mark.parametrize(
    "faults",
    [
        [Fault(status=503), Fault(status=503)],
        [Fault(status=503, headers={"Retry-After": "0"})],
        [Fault(cut_after=0), Fault(status=500), Fault(cut_after=1000)],
        [Fault(cut_after=150_000), Fault(ignore_range=True)],
        [Fault(cut_after=150_000), Fault(wrong_range=True)],
        [Fault(cut_after=150_000), Fault(status=416)],
        [Fault(length_off_by=500)],
        [Fault(chunked=True)],
        [Fault(chunked=True, cut_after=150_000), Fault(chunked=True)],
    ],
    ids=lambda faults: "-".join(f"{f.status or ''}{f.cut_after or ''}" or "lie" for f in faults),
)
def test_what_goes_wrong_for_a_while_is_survived(server, tmp_path, faults):
    path = get(server.add("a", CONTENT, *faults), tmp_path / "a")
    assert path.read_bytes() == CONTENT
    assert left_over(path) == []


def test_a_file_that_changes_in_between_is_not_mixed(server, tmp_path):
    """The first half of the old file and the second of the new one have the right length together."""
    changed = bytes(255 - byte for byte in CONTENT)
    cut = Fault(cut_after=150_000, then=lambda: server.add("a", changed, etag="v2"))
    assert get(server.add("a", CONTENT, cut), tmp_path / "a").read_bytes() == changed
    assert len(server.requests) == 2
    # Nor where the server does not care for If-Range, and sends the second half of the new file.
    careless = Fault(ignore_if_range=True)
    cut = Fault(cut_after=150_000, then=lambda: server.add("b", changed, careless, etag="v2"))
    assert get(server.add("b", CONTENT, cut), tmp_path / "b").read_bytes() == changed
    assert server.ranges("b") == [None, "bytes=150000-", None]


def test_without_any_validator_the_size_decides(server, tmp_path):
    address = server.add("a", CONTENT, Fault(cut_after=150_000), etag=None)
    assert get(address, tmp_path / "a").read_bytes() == CONTENT
    assert server.ranges("a") == [None, "bytes=150000-"]

    address = server.add("b", CONTENT, Fault(cut_after=150_000), etag=None)
    with pytest.raises(DownloadError):
        get(address, tmp_path / "b", attempts=1)
    server.add("b", CONTENT + b"more", etag=None)
    assert get(address, tmp_path / "b").read_bytes() == CONTENT + b"more"


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault(cut_after=1000, ignore_range=True), "5 times"),
        (Fault(length_off_by=500), r"5 times"),
        (Fault(status=503), "the server answers 503, 5 times"),
        (Fault(status=404), "the server answers 404"),
        (Fault(stall_after=1000), "(?i)time"),
    ],
)
def test_a_server_that_never_gives_the_file_is_given_up(server, tmp_path, fault, message):
    address = server.add("a", CONTENT)
    server.always["a"] = fault
    with pytest.raises(DownloadError, match=message) as caught:
        get(address, tmp_path / "a", timeout=(1, 0.1))
    assert not (tmp_path / "a").exists()
    assert address in str(caught.value)
    assert "mirror" in str(caught.value)
    assert len(server.requests) <= 12


def test_nobody_listens(tmp_path):
    with pytest.raises(DownloadError, match="Connection refused"):
        get("http://127.0.0.1:9/a", tmp_path / "a", attempts=2)


def test_a_short_length_is_noticed_by_the_checksum(server, tmp_path):
    """The server announces and sends less than there is: only a checksum can tell."""
    address = server.add("a", CONTENT)
    server.always["a"] = Fault(length_off_by=-500)
    with pytest.raises(ChecksumError, match=SHA[:20]):
        get(address, tmp_path / "a", SHA)
    assert left_over(tmp_path / "a") == []
    assert not (tmp_path / "a").exists()


def test_a_reply_of_unknown_length_is_not_believed_without_a_checksum(server, tmp_path):
    address = server.add("a", CONTENT)
    server.always["a"] = Fault(without_length=True)
    with pytest.raises(DownloadError, match="a cut one would look whole"):
        get(address, tmp_path / "a")
    assert get(address, tmp_path / "a", SHA).read_bytes() == CONTENT


def test_the_first_checksum_is_remembered(server, tmp_path):
    path = get(server.add("a", CONTENT), tmp_path / "a")
    path.unlink()  # as after unpacking an archive
    address = server.add("a", CONTENT[::-1], etag="v2")
    with pytest.raises(ChecksumError, match="is not the file that was first seen on 20"):
        get(address, path)
    assert not path.exists()
    assert get(address, path, hashlib.sha256(CONTENT[::-1]).hexdigest()).exists(), "a given one wins"
    forget(path)
    assert left_over(path) == []
    assert not origin(path).exists()


def test_a_file_of_the_users_own_is_taken_and_compared(tmp_path):
    (tmp_path / "a").write_bytes(CONTENT)
    assert get("http://127.0.0.1:9/a", tmp_path / "a") == tmp_path / "a"
    with pytest.raises(ChecksumError, match="remove it, or correct that"):
        get("http://127.0.0.1:9/a", tmp_path / "a", "0" * 64)
    (tmp_path / "a").write_bytes(CONTENT[:-1])
    with pytest.raises(DownloadError, match="has 299999 bytes, but had 300000"):
        get("http://127.0.0.1:9/a", tmp_path / "a")


def test_room_is_asked_for_before_anything_is_sent(server, tmp_path, monkeypatch):
    usage = module.shutil.disk_usage(tmp_path)._replace(free=len(CONTENT))
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(NoSpaceError, match=r"a needs 300\.0 kB, but the disk of .* has only 300\.0 kB free"):
        get(server.add("a", CONTENT), tmp_path / "a")
    with pytest.raises(NoSpaceError):
        require_space(tmp_path, 1, "one byte")


CHILD = """
import sys
from gem_lite.datasets.download import download
download(sys.argv[1], sys.argv[2], progress=False)
"""


def child(root, address, path):
    environment = {**os.environ, "PYTHONPATH": str(root), "no_proxy": "127.0.0.1"}
    return subprocess.Popen([sys.executable, "-c", CHILD, address, str(path)], env=environment)


def test_a_killed_process_is_followed_by_one_that_goes_on(root, server, tmp_path):
    address = server.add("a", CONTENT, Fault(stall_after=200_000))
    process = child(root, address, tmp_path / "a")
    part = tmp_path / ".a.part"
    while not part.exists() or part.stat().st_size < 100_000:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = part.stat().st_size
    assert not (tmp_path / "a").exists()
    assert get(address, tmp_path / "a").read_bytes() == CONTENT
    assert server.ranges("a") == [None, f"bytes={kept}-"]


def test_two_processes_fetch_a_file_once(root, server, tmp_path):
    address = server.add("a", CONTENT)
    processes = [child(root, address, tmp_path / "a") for _ in range(2)]
    assert [process.wait(60) for process in processes] == [0, 0]
    assert sha256_of(tmp_path / "a") == SHA
    assert len(server.requests) == 1
