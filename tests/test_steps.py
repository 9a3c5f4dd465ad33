"""Named steps: the network comes from the cache, and the command line says what was computed."""

import subprocess
import sys

import pytest

from gem_lite import steps


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """One cache for this module, in which each step has run once."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("GEM_LITE_CACHE", str(folder))
        yield folder


@pytest.mark.slow
def test_a_step_computes_once(cache, capsys):
    steps.main(["render", "pretrain", "--profile", "tiny"])
    first = capsys.readouterr().out.splitlines()
    assert [line.split(",")[1].split(": ")[1] for line in first] == ["computed", "computed"]
    steps.main(["render", "pretrain", "--profile", "tiny"])
    second = capsys.readouterr().out.splitlines()
    assert second[0].startswith("render (tiny, seed 0): cached, ")
    assert second[1].startswith("pretrain (tiny, seed 0): cached, ")


@pytest.mark.slow
def test_the_step_that_renders_the_test_split_makes_both_worlds(cache):
    assert not steps.run_step("render-test", "tiny")
    assert len(list(cache.glob("toytown-tiny-0-test-*.npz"))) == 2
    assert steps.run_step("render-test", "tiny")


@pytest.mark.slow
def test_an_unknown_step_on_the_command_line_lists_the_known_ones():
    done = subprocess.run(
        [sys.executable, "-m", "gem_lite.steps", "rendering"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert all(repr(name) in done.stderr for name in steps.STEPS)


def test_an_unknown_step_is_named_with_the_known_ones():
    with pytest.raises(ValueError, match="unknown step 'train'; known: render, render-test, pretrain"):
        steps.run_step("train")


@pytest.mark.slow
def test_trainings_run_side_by_side_and_a_failing_one_is_told(cache, capfd, monkeypatch):
    steps.main(["train-gem", "train-mac", "--profile", "tiny"])
    told = capfd.readouterr().out
    assert "train-gem (tiny, seed 0): computed" in told
    assert "train-mac (tiny, seed 0): computed" in told
    assert len(list(cache.glob("trained-tiny-0-*.pt"))) == 2
    with pytest.raises(SystemExit) as failure:
        steps._run_two_at_a_time(["train-gem", "no-such-step"], "tiny", 0)
    assert failure.value.code == 2
