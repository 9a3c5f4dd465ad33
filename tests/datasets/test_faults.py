"""Full disks, kills at any moment, two processes at once: nothing half done is ever taken for whole."""

import hashlib
import os
import pickle
import random
import resource
import signal
import subprocess
import sys
import time

import pytest
from archives_in_memory import tar_of
from flaky_server import Fault

from gem_lite.datasets import download as module
from gem_lite.datasets.download import NoSpaceError, download
from gem_lite.datasets.ground_truth import load_ground_truth

NAMES = [f"all_souls_{number:06}" for number in range(400)]
PICTURES = {f"{name}.jpg": random.Random(name).randbytes(3000) for name in NAMES}
TRUTH = {"imlist": NAMES, "qimlist": NAMES[:1], "gnd": [{"ok": [1], "junk": [0], "bbx": None}]}

CHILD = """
import sys
from gem_lite.datasets import load_benchmark
print("ready", flush=True)
print(len(load_benchmark("oxford5k", progress=False).images))
"""


@pytest.fixture
def world(server, data, tmp_path, monkeypatch):
    server.add("vgg/oxbuildings/oxbuild_images-v1.tgz", tar_of(PICTURES))
    server.add("cmp/test/oxford5k/gnd_oxford5k.pkl", pickle.dumps(TRUTH))
    (tmp_path / "own.toml").write_text(
        f'[bases]\nvgg = "{server.address}/vgg"\ncmp = "{server.address}/cmp"\n'
    )
    monkeypatch.setenv("GEM_LITE_SOURCES", str(tmp_path / "own.toml"))
    return server


def child(root):
    environment = {**os.environ, "PYTHONPATH": str(root)}
    return subprocess.Popen([sys.executable, "-c", CHILD], env=environment, stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_killed_at_any_moment_and_called_again(root, world, data):
    """Three kills, at moments drawn at random, in the middle of the transfer or of the unpacking."""
    rng = random.Random(0)
    for _ in range(3):
        world.faults["vgg/oxbuildings/oxbuild_images-v1.tgz"].append(Fault(cut_after=rng.randrange(900_000)))
        process = child(root)
        process.stdout.readline()
        time.sleep(rng.uniform(0, 0.6))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    process = child(root)
    assert process.communicate(timeout=120)[0].split() == ["ready", "400"]
    folder = data / "test" / "oxford5k" / "jpg"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == PICTURES


@pytest.mark.slow
def test_two_processes_share_one_data_folder(root, world, data):
    processes = [child(root) for _ in range(2)]
    assert [process.communicate(timeout=120)[0].split() for process in processes] == [["ready", "400"]] * 2
    assert len(world.requests) == 2, "each file was fetched once"
    folder = data / "test" / "oxford5k" / "jpg"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == PICTURES


CONTENT = random.Random(1).randbytes(300_000)


@pytest.mark.parametrize("small_disk", ["200k"], indirect=True)
def test_a_disk_that_fills_up_keeps_what_has_arrived(server, monkeypatch, small_disk):
    address = server.add("a", CONTENT)
    with pytest.raises(NoSpaceError, match=r"a needs 300\.0 kB"):
        download(address, small_disk / "a", progress=False)
    # And where somebody else fills it after the question was asked.
    with monkeypatch.context() as patch:
        patch.setattr(module, "require_space", lambda *_: None)
        with pytest.raises(NoSpaceError, match="is full; make room, and the same call goes on"):
            download(address, small_disk / "a", progress=False)
        kept = (small_disk / ".a.part").stat().st_size
        assert kept > 100_000
        subprocess.run(["mount", "-o", "remount,size=2m", str(small_disk)], check=True)
        download(address, small_disk / "a", progress=False)
    assert (small_disk / "a").read_bytes() == CONTENT
    assert server.ranges("a")[-1] == f"bytes={kept}-"


def test_a_limit_on_the_size_of_files_is_an_error_and_not_a_short_file(server, tmp_path):
    address = server.add("a", CONTENT)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(OSError, match=r"too large|is full"):
            download(address, tmp_path / "a", progress=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert not (tmp_path / "a").exists()
    download(address, tmp_path / "a", hashlib.sha256(CONTENT).hexdigest(), progress=False)


@pytest.mark.parametrize("seed", range(3))
def test_damaged_ground_truths_are_refused_or_still_make_sense(tmp_path, seed):
    """Bytes of a pickle are changed at random; nothing but ValueError comes of it."""
    content = pickle.dumps({**TRUTH, "imlist": NAMES[:20], "qimlist": NAMES[:1]})
    rng, path, refused = random.Random(seed), tmp_path / "gnd.pkl", 0
    for _ in range(300):
        changed = bytearray(content)
        for _ in range(rng.randint(1, 6)):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        path.write_bytes(changed)
        try:
            truth = load_ground_truth(path)
        except ValueError:
            refused += 1
        else:
            assert all(isinstance(name, str) and ".." not in name for name in truth["imlist"])
            assert all(0 <= row < len(truth["imlist"]) for row in truth["gnd"][0]["ok"])
    assert 50 < refused < 300
    assert [each.name for each in tmp_path.iterdir()] == ["gnd.pkl"]
