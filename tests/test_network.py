"""Building networks by name."""

import pytest
import torch
from torch import nn

from gem_lite.network import build_network
from gem_lite.pooling import MAC, RMAC, GeM, SPoC


@pytest.mark.parametrize(("name", "kind"), [("gem", GeM), ("mac", MAC), ("spoc", SPoC), ("rmac", RMAC)])
def test_poolings_by_name(name: str, kind: type[nn.Module]) -> None:
    assert type(build_network("compact", name).pool) is kind


def test_a_pooling_may_be_any_module() -> None:
    pool = GeM(2.0, channels=128)
    net = build_network("compact", pool)
    assert net.pool is pool
    assert net(torch.rand(1, 3, 32, 32)).shape == (1, 128)


def test_p_is_where_gem_starts() -> None:
    assert build_network("compact", p=4.5).pool.p.tolist() == [4.5]
    with pytest.raises(ValueError, match="p >= 1"):
        build_network("compact", p=0.5)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown pooling 'max'; known: mac, spoc, gem, rmac"):
        build_network("compact", "max")
    with pytest.raises(ValueError, match="did you mean vgg16"):
        build_network("vgg_16")


def test_random_weights_follow_the_seed_and_leave_the_global_stream_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, again, other = (build_network("compact", seed=seed).state_dict() for seed in (0, 0, 1))
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["backbone.0.weight"], other["backbone.0.weight"])


def test_a_built_network_is_in_evaluation_mode() -> None:
    assert not build_network("compact", batch_norm=True).training
    assert not build_network("squeezenet1_1").training


def test_compact_sizes() -> None:
    net = build_network("compact", channels=(8, "M", 16))
    assert net.dim == 16
    assert net.meta == {"architecture": "compact", "channels": [8, "M", 16]}
