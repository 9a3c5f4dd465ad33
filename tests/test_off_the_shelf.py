"""The off-the-shelf network: trained once, kept under a name that says from what, never half-written."""

import pytest
import torch

from gem_lite import off_the_shelf
from gem_lite.network import load_network
from gem_lite.pooling import MAC, GeM, SPoC
from gem_lite.profiles import get_profile

pytestmark = pytest.mark.slow  # a network is pre-trained


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """One cache for this module, in which each step has run once."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("GEM_LITE_CACHE", str(folder))
        yield folder


def never(*_arguments, **_options):
    raise AssertionError("computed again")


def test_the_network_comes_from_the_cache_under_any_pooling(cache, monkeypatch):
    first = off_the_shelf.pretrained("tiny", pooling="mac")
    monkeypatch.setattr(off_the_shelf, "pretrain", never)
    for pooling, kind in (("mac", MAC), ("spoc", SPoC), ("gem", GeM)):
        net = off_the_shelf.pretrained("tiny", pooling=pooling)
        assert isinstance(net.pool, kind)
        assert not net.training
        states = zip(net.backbone.state_dict().values(), first.backbone.state_dict().values(), strict=True)
        assert all(torch.equal(one, other) for one, other in states)


def test_p_is_what_was_asked_for(cache):
    assert off_the_shelf.pretrained("tiny", p=5).pool.p.tolist() == [5.0]
    assert off_the_shelf.pretrained("tiny").pool.p.tolist() == [3.0]


def test_the_network_knows_where_it_comes_from(cache):
    meta = off_the_shelf.pretrained("tiny").meta
    assert meta["architecture"] == "compact"
    assert meta["head"] == "mean"
    assert 0 < meta["accuracy"] <= 1


def test_a_damaged_network_is_trained_again(cache):
    expected = off_the_shelf.pretrained("tiny").backbone.state_dict()
    (path,) = cache.glob("pretrained-tiny-0-mean-*.pt")
    path.write_bytes(path.read_bytes()[:5000])
    net = off_the_shelf.pretrained("tiny")
    assert all(torch.equal(value, expected[name]) for name, value in net.backbone.state_dict().items())
    load_network(path)


def test_interrupted_training_leaves_nothing(cache, monkeypatch):
    def interrupted(*_arguments, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(off_the_shelf, "save_network", interrupted)
    before = {path for path in cache.iterdir() if path.suffix == ".pt"}
    with pytest.raises(KeyboardInterrupt):
        off_the_shelf.pretrained("tiny", head="max")
    assert {path for path in cache.iterdir() if path.suffix == ".pt"} == before


def test_the_key_depends_on_everything_that_decides_the_network(cache, monkeypatch):
    paths = {
        off_the_shelf._pretrained_path("tiny", 0, "mean"),
        off_the_shelf._pretrained_path("tiny", 1, "mean"),
        off_the_shelf._pretrained_path("tiny", 0, "max"),
        off_the_shelf._pretrained_path("lite", 0, "mean"),
    }
    assert len(paths) == 4
    assert "pretrained-tiny-0-mean-" in str(off_the_shelf._pretrained_path("tiny", 0, "mean"))


def test_channels_are_the_profiles(cache):
    assert off_the_shelf.pretrained("tiny").dim == get_profile("tiny").network[-1]


def test_unknown_poolings_heads_and_profiles_are_named_with_the_known_ones(cache, monkeypatch):
    monkeypatch.setattr(off_the_shelf, "pretrain", never)
    with pytest.raises(ValueError, match="unknown pooling 'average'"):
        off_the_shelf.pretrained("tiny", seed=9, pooling="average")  # and says so before it trains
    with pytest.raises(ValueError, match="unknown head 'median'"):
        off_the_shelf.pretrained("tiny", head="median")
    with pytest.raises(ValueError, match="unknown profile 'big'"):
        off_the_shelf.pretrained("big")
