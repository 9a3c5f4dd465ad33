"""MAC, SPoC and R-MAC, and the modules over all poolings."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gem_lite.pooling import MAC, RMAC, GeM, RegionalPool, SPoC, gem, mac, rmac, spoc

SIZES = ["7x7", "16x16", "24x32", "12x32"]
POOLINGS = {"mac": mac, "spoc": spoc, "gem": gem, "rmac": rmac}


@pytest.fixture(scope="module")
def reference(golden: Path) -> dict[str, Tensor]:
    arrays = np.load(golden / "reference.npz")
    wanted = [name for name in arrays if name.startswith(("pool_", "regional_"))]
    return {name: torch.from_numpy(arrays[name]) for name in wanted}


def maps(*shape: int, seed: int = 0) -> Tensor:
    """Non-negative maps, about half of each zero, as a ReLU leaves them."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).relu()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["mac", "spoc", "rmac"])
def test_agrees_with_the_reference(reference: dict[str, Tensor], size: str, name: str) -> None:
    pooled = POOLINGS[name](reference[f"pool_{size}_x"])
    # R-MAC sums up to 33 unit vectors, each shorter in the reference by the eps that it adds to the norm.
    tolerance = 3e-6 if name == "rmac" else 1e-6
    torch.testing.assert_close(pooled, reference[f"pool_{size}_{name}"], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("p", ["1.0", "2.5", "3.0", "7.0"])
def test_gem_agrees_with_the_reference(reference: dict[str, Tensor], size: str, p: str) -> None:
    expected = reference[f"pool_{size}_gem_p{p}"]
    # At p = 1 on 24 x 32 the reference's own rounding error, against float64, is 1.3e-6.
    torch.testing.assert_close(gem(reference[f"pool_{size}_x"], float(p)), expected, rtol=2e-6, atol=0)


@pytest.mark.parametrize("size", SIZES)
def test_regional_pooling_agrees_with_the_reference(reference: dict[str, Tensor], size: str) -> None:
    whiten = torch.nn.Linear(6, 6)
    whiten.load_state_dict({k: reference[f"regional_whiten_{k}"] for k in ("weight", "bias")})
    pool = RegionalPool(GeM(2.7), whiten)
    x = reference[f"pool_{size}_x"]
    close = {"rtol": 1e-5, "atol": 3e-6}
    torch.testing.assert_close(pool(x, aggregate=False), reference[f"pool_{size}_regions"], **close)
    # The reference normalises the sum as well; here that is the network's last layer.
    summed = F.normalize(pool(x), dim=1)
    torch.testing.assert_close(summed, reference[f"pool_{size}_regional_gem_p2.7"], **close)


@settings(max_examples=25, deadline=None)
@given(
    name=st.sampled_from(sorted(POOLINGS)),
    batch=st.integers(1, 3),
    channels=st.integers(1, 5),
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    dtype=st.sampled_from([torch.float16, torch.bfloat16, torch.float32, torch.float64]),
)
def test_one_number_per_map_in_float32_or_float64(
    name: str, batch: int, channels: int, height: int, width: int, dtype: torch.dtype
) -> None:
    pooled = POOLINGS[name](maps(batch, channels, height, width).to(dtype))
    assert pooled.shape == (batch, channels)
    assert pooled.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)


@pytest.mark.parametrize("name", ["mac", "spoc", "gem"])
@given(seed=st.integers(0, 1000), height=st.integers(1, 8), width=st.integers(1, 8))
@settings(max_examples=20, deadline=None)
def test_order_of_positions_does_not_matter(name: str, seed: int, height: int, width: int) -> None:
    x = maps(2, 3, height, width, seed=seed)
    order = torch.randperm(height * width, generator=torch.Generator().manual_seed(seed))
    shuffled = x.flatten(2)[..., order].reshape(x.shape)
    torch.testing.assert_close(POOLINGS[name](shuffled), POOLINGS[name](x), rtol=1e-6, atol=1e-7)


def test_order_of_positions_matters_to_rmac() -> None:
    x = maps(1, 3, 9, 9)
    order = torch.randperm(81, generator=torch.Generator().manual_seed(0))
    assert not torch.allclose(rmac(x.flatten(2)[..., order].reshape(x.shape)), rmac(x), rtol=1e-2)


@given(seed=st.integers(0, 1000), factor=st.floats(1e-3, 1e3), name=st.sampled_from(["mac", "spoc", "gem"]))
@settings(max_examples=20, deadline=None)
def test_pooling_scales_with_the_maps(seed: int, factor: float, name: str) -> None:
    x = maps(1, 3, 5, 6, seed=seed) + 0.01
    torch.testing.assert_close(POOLINGS[name](factor * x), factor * POOLINGS[name](x), rtol=1e-5, atol=0)


def test_the_whole_map_counts_twice_on_a_square_map() -> None:
    x = maps(1, 4, 7, 7)
    assert torch.allclose(rmac(x) - rmac(x, whole=False), F.normalize(mac(x), dim=1), atol=1e-6)
    assert torch.allclose(rmac(x, levels=1), 2 * F.normalize(mac(x), dim=1))


def test_rmac_passes_over_dead_maps() -> None:
    x = torch.zeros(2, 3, 6, 5, requires_grad=True)
    pooled = rmac(x)
    pooled.sum().backward()
    assert pooled.eq(0).all()
    assert x.grad is not None
    assert x.grad.isfinite().all()


@pytest.mark.parametrize(("module", "function"), [(MAC(), mac), (SPoC(), spoc), (GeM(), gem), (RMAC(), rmac)])
def test_modules_are_their_functions(module: torch.nn.Module, function: object) -> None:
    x = maps(2, 3, 6, 8)
    assert callable(function)
    assert torch.equal(module(x), function(x))


def test_repr_says_what_is_learned() -> None:
    assert repr(GeM(2.5)) == "GeM(p=2.500, channels=1, eps=1e-06)"
    layer = GeM(3.0, channels=2)
    with torch.no_grad():
        layer.p.copy_(torch.tensor([2.0, 4.0]))
    assert repr(layer) == "GeM(p=3.000 (2.000 to 4.000), channels=2, eps=1e-06)"
    assert repr(RMAC(2)) == "RMAC(levels=2)"
    assert repr(MAC()) == "MAC()"


def test_gem_keeps_p_at_least_one() -> None:
    layer = GeM(1.0, channels=3)
    with torch.no_grad():
        layer.p.copy_(torch.tensor([0.5, 1.5, -3.0]))
    x = maps(2, 3, 4, 4)
    pooled = layer(x)
    assert torch.equal(pooled, gem(x, torch.tensor([1.0, 1.5, 1.0])))
    pooled.sum().backward()
    assert layer.p.grad is not None
    assert layer.p.grad.gt(0).all()  # a larger p pools more: none is stuck at the bound
    layer.keep_p_valid()
    assert layer.p.tolist() == [1.0, 1.5, 1.0]


@pytest.mark.parametrize("settings", [{"p": 0.9}, {"p": float("nan")}, {"channels": 0}])
def test_gem_refuses_settings_out_of_range(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="p >= 1 and channels >= 1"):
        GeM(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(POOLINGS))
@pytest.mark.parametrize("x", [torch.zeros(2, 3, 4), torch.zeros(2, 3, 0, 4), torch.zeros(2, 3, 4, 4).int()])
def test_what_is_no_feature_map_is_refused(name: str, x: Tensor) -> None:
    with pytest.raises(ValueError, match=r"must be \(B, K, H, W\) floats"):
        POOLINGS[name](x)
