"""Named steps: the network comes from the cache, and the command line says what was computed."""

import subprocess
import sys

import pytest
import torch

from gem_lite import steps
from gem_lite.network import load_network
from gem_lite.pooling import MAC, GeM, SPoC
from gem_lite.profiles import get_profile


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """One cache for this module, in which each step has run once."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("GEM_LITE_CACHE", str(folder))
        yield folder


def never(*_arguments, **_options):
    raise AssertionError("computed again")


def test_a_step_computes_once(cache, capsys):
    steps.main(["render", "pretrain", "--profile", "tiny"])
    first = capsys.readouterr().out.splitlines()
    assert [line.split(",")[1].split(": ")[1] for line in first] == ["computed", "computed"]
    steps.main(["render", "pretrain", "--profile", "tiny"])
    second = capsys.readouterr().out.splitlines()
    assert second[0].startswith("render (tiny, seed 0): cached, ")
    assert second[1].startswith("pretrain (tiny, seed 0): cached, ")


def test_the_network_comes_from_the_cache_under_any_pooling(cache, monkeypatch):
    first = steps.pretrained("tiny", pooling="mac")
    monkeypatch.setattr(steps, "pretrain", never)
    for pooling, kind in (("mac", MAC), ("spoc", SPoC), ("gem", GeM)):
        net = steps.pretrained("tiny", pooling=pooling)
        assert isinstance(net.pool, kind)
        assert not net.training
        states = zip(net.backbone.state_dict().values(), first.backbone.state_dict().values(), strict=True)
        assert all(torch.equal(one, other) for one, other in states)


def test_p_is_what_was_asked_for(cache):
    assert steps.pretrained("tiny", p=5).pool.p.tolist() == [5.0]
    assert steps.pretrained("tiny").pool.p.tolist() == [3.0]


def test_the_network_knows_where_it_comes_from(cache):
    meta = steps.pretrained("tiny").meta
    assert meta["architecture"] == "compact"
    assert meta["head"] == "mean"
    assert 0 < meta["accuracy"] <= 1


def test_a_damaged_network_is_trained_again(cache):
    expected = steps.pretrained("tiny").backbone.state_dict()
    (path,) = cache.glob("pretrained-tiny-0-mean-*.pt")
    path.write_bytes(path.read_bytes()[:5000])
    net = steps.pretrained("tiny")
    assert all(torch.equal(value, expected[name]) for name, value in net.backbone.state_dict().items())
    load_network(path)


def test_interrupted_training_leaves_nothing(cache, monkeypatch):
    def interrupted(*_arguments, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(steps, "save_network", interrupted)
    before = {path for path in cache.iterdir() if path.suffix == ".pt"}
    with pytest.raises(KeyboardInterrupt):
        steps.pretrained("tiny", head="max")
    assert {path for path in cache.iterdir() if path.suffix == ".pt"} == before


def test_the_key_depends_on_everything_that_decides_the_network(cache, monkeypatch):
    paths = {
        steps._pretrained_path("tiny", 0, "mean"),
        steps._pretrained_path("tiny", 1, "mean"),
        steps._pretrained_path("tiny", 0, "max"),
        steps._pretrained_path("lite", 0, "mean"),
    }
    assert len(paths) == 4
    assert "pretrained-tiny-0-mean-" in str(steps._pretrained_path("tiny", 0, "mean"))


@pytest.mark.slow
def test_the_step_that_renders_the_test_split_makes_both_worlds(cache):
    assert not steps.run_step("render-test", "tiny")
    assert len(list(cache.glob("toytown-tiny-0-test-*.npz"))) == 2
    assert steps.run_step("render-test", "tiny")


def test_unknown_steps_poolings_heads_and_profiles_are_named_with_the_known_ones(cache, monkeypatch):
    monkeypatch.setattr(steps, "pretrain", never)
    with pytest.raises(ValueError, match="unknown step 'train'; known: render, render-test, pretrain"):
        steps.run_step("train")
    with pytest.raises(ValueError, match="unknown pooling 'average'"):
        steps.pretrained("tiny", seed=9, pooling="average")  # and says so before it trains
    with pytest.raises(ValueError, match="unknown head 'median'"):
        steps.pretrained("tiny", head="median")
    with pytest.raises(ValueError, match="unknown profile 'big'"):
        steps.pretrained("big")


@pytest.mark.slow
def test_an_unknown_step_on_the_command_line_lists_the_known_ones():
    done = subprocess.run(
        [sys.executable, "-m", "gem_lite.steps", "rendering"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert all(repr(name) in done.stderr for name in steps.STEPS)


def test_channels_are_the_profiles(cache):
    assert steps.pretrained("tiny").dim == get_profile("tiny").network[-1]
