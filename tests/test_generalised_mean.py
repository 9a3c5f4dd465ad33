"""GeM against its definition, against autograd, and at the edges of every float type."""

import io
import warnings
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gem_lite.pooling import GeM, gem, gem_plain, mac, spoc

FORMS = {"equations": gem, "plain": gem_plain}
EXPONENTS = [1.0, 1.5, 2.32, 3.0, 8.0, 22.0, 60.0, 100.0]
Form = Callable[..., Tensor]


def maps(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    """Non-negative maps, about half of each zero, as a ReLU leaves them."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64).relu().to(dtype)


def by_logarithms(x: Tensor, p: float) -> Tensor:
    """Equation 3 in float64 as log-sum-exp."""
    logarithms = x.double().clamp(min=1e-6).flatten(2).log()
    count = torch.tensor(float(logarithms.shape[-1]), dtype=torch.float64)
    return ((torch.logsumexp(p * logarithms, dim=2) - count.log()) / p).exp()


def gradients(form: Form, x: Tensor, p: Tensor) -> tuple[Tensor, Tensor]:
    x, p = x.clone().requires_grad_(), p.clone().requires_grad_()
    weights = torch.linspace(-1, 1, x.shape[0] * x.shape[1], dtype=torch.float64).view(x.shape[:2])
    pooled = form(x, p)
    for_x, for_p = torch.autograd.grad((pooled * weights.to(pooled)).sum(), (x, p))
    return for_x, for_p


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("p", [*EXPONENTS, 2.71828, 5.5, 13.0, 37.0, 99.9])
@pytest.mark.parametrize("spread", [0.1, 1.0, 8.0], ids=lambda spread: f"spread{spread}")
def test_float32_agrees_with_logarithms_in_float64(form: Form, p: float, spread: float) -> None:
    noise = torch.randn(4, 16, 24, 32, generator=torch.Generator().manual_seed(1))
    for x in (noise.mul(spread).exp(), noise.mul(spread).relu()):
        torch.testing.assert_close(form(x, p).double(), by_logarithms(x, p), rtol=1e-5, atol=0)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("per_channel", [False, True], ids=["shared", "per_channel"])
@pytest.mark.parametrize("p", [1.0, 3.0, 10.0, 60.0])
def test_gradients_are_those_of_finite_differences(form: Form, per_channel: bool, p: float) -> None:
    # Away from the clamp, where the function has a kink.
    x = (maps(2, 3, 3, 4, dtype=torch.float64) + 0.1).requires_grad_()
    exponent = torch.full((3 if per_channel else 1,), p, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(form, (x, exponent))


@pytest.mark.parametrize("p", EXPONENTS)
@pytest.mark.parametrize("per_channel", [False, True], ids=["shared", "per_channel"])
def test_equations_4_and_5_are_what_autograd_finds(p: float, per_channel: bool) -> None:
    x = maps(2, 5, 6, 7, dtype=torch.float64)  # with zeros: the clamp is part of the comparison
    exponents = torch.full((5,), p, dtype=torch.float64) + torch.arange(5) * 0.1 * per_channel
    exponent = exponents if per_channel else exponents[:1]
    torch.testing.assert_close(gem(x, exponent), gem_plain(x, exponent), rtol=1e-12, atol=0)
    for ours, plain in zip(gradients(gem, x, exponent), gradients(gem_plain, x, exponent), strict=True):
        torch.testing.assert_close(ours, plain, rtol=1e-9, atol=1e-15)


def test_equations_as_they_stand_in_the_paper() -> None:
    x = maps(1, 1, 4, 5, dtype=torch.float64) + 0.1
    p, count = 3.7, 20
    f = gem(x, p).item()
    for_x, for_p = gradients(lambda a, b: -gem(a, b), x, torch.tensor(p, dtype=torch.float64))
    total, logs = (x**p).sum(), (x**p * x.log()).sum()
    torch.testing.assert_close(for_x, f ** (1 - p) * x ** (p - 1) / count)
    expected = f / p**2 * ((count / total).log() + p * logs / total)
    torch.testing.assert_close(for_p, expected)


def test_the_plain_form_can_be_differentiated_twice() -> None:
    x = (maps(1, 2, 3, 3, dtype=torch.float64) + 0.1).requires_grad_()
    p = torch.tensor([2.5], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(gem_plain, (x, p))


def test_the_equations_refuse_to_be_differentiated_twice() -> None:
    x = (maps(1, 2, 3, 3) + 0.1).requires_grad_()
    (first,) = torch.autograd.grad(gem(x).square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()


def extreme_maps(dtype: torch.dtype, largest: float) -> dict[str, Tensor]:
    smallest = torch.finfo(dtype).tiny
    zeros = torch.zeros(1, 1, 5, 6, dtype=dtype)
    one = zeros.clone()
    one[..., 2, 3] = 1
    return {
        "dead": zeros,
        "one small": one * 0.01,
        "one largest": one * largest,
        "all largest": torch.full_like(zeros, largest),
        "largest and barely alive": (one * largest).clamp(min=2e-6),
        "smallest": torch.full_like(zeros, smallest),
        "sixty": torch.full_like(zeros, 60),
        "usual": maps(1, 1, 5, 6, dtype=dtype),
    }


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("p", EXPONENTS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32], ids=str)
def test_everything_is_finite(form: Form, p: float, dtype: torch.dtype) -> None:
    largest = torch.finfo(dtype).max if form is gem else min(torch.finfo(dtype).max, 1e30)
    for name, x in extreme_maps(dtype, largest).items():
        x = x.requires_grad_()
        exponent = torch.tensor([p], requires_grad=True)
        pooled = form(x, exponent)
        pooled.sum().backward()
        assert pooled.isfinite().all(), name
        assert pooled.gt(0).all(), name
        assert pooled.le(x.float().amax().clamp(min=1e-6) * (1 + 1e-6)).all(), name
        assert x.grad is not None
        assert x.grad.dtype == dtype
        assert x.grad.isfinite().all(), name
        assert exponent.grad is not None
        assert exponent.grad.isfinite().all(), name


@given(seed=st.integers(0, 1000), height=st.integers(1, 8), width=st.integers(1, 8))
@settings(max_examples=25, deadline=None)
def test_limits_are_mean_and_maximum(seed: int, height: int, width: int) -> None:
    x = maps(2, 3, height, width, seed=seed) + 1e-3
    torch.testing.assert_close(gem(x, 1.0), spoc(x), rtol=1e-6, atol=0)
    # mean <= maximum <= N^(1/p) times the generalised mean
    upper = gem(x, 1000.0) * (height * width) ** (1 / 1000.0)
    assert gem(x, 1000.0).le(mac(x) * (1 + 1e-6)).all()
    assert upper.ge(mac(x) * (1 - 1e-4)).all()


@given(seed=st.integers(0, 1000), p=st.floats(1, 100), more=st.floats(0, 100))
@settings(max_examples=50, deadline=None)
def test_grows_with_p(seed: int, p: float, more: float) -> None:
    x = maps(2, 3, 5, 4, seed=seed, dtype=torch.float64)
    assert gem(x, p + more).ge(gem(x, p) * (1 - 1e-12)).all()


@given(seed=st.integers(0, 1000), p=st.floats(1, 100))
@settings(max_examples=25, deadline=None)
def test_each_channel_has_its_own_exponent(seed: int, p: float) -> None:
    x = maps(2, 3, 5, 4, seed=seed)
    exponents = torch.tensor([1.0, p, 3.0])
    expected = torch.stack([gem(x, q.item())[:, k] for k, q in enumerate(exponents)], dim=1)
    torch.testing.assert_close(gem(x, exponents), expected, rtol=1e-6, atol=0)


def test_p_may_be_a_number_or_a_tensor_of_any_float_type() -> None:
    x = maps(2, 3, 5, 4)
    shared = torch.tensor([3.0])
    for p in (3, torch.tensor(3.0), shared, shared.half(), shared.repeat(3).double()):
        assert torch.equal(gem(x, p), gem(x, 3.0))


def test_memory_layout_does_not_matter() -> None:
    x, p = maps(2, 8, 6, 5), torch.tensor([2.5])
    last = x.contiguous(memory_format=torch.channels_last)
    for ours, other in zip(gradients(gem, x, p), gradients(gem, last, p), strict=True):
        torch.testing.assert_close(other, ours, rtol=1e-5, atol=1e-7)
    windows = maps(2, 8, 9, 9)[..., 1:7, 2:8]  # neither layout: a region of R-MAC
    torch.testing.assert_close(gem(windows, p), gem(windows.contiguous(), p), rtol=1e-6, atol=0)


def test_the_maps_are_left_as_they_were() -> None:
    x = maps(2, 3, 5, 4)
    before = x.clone()
    gem(x, torch.tensor([3.0], requires_grad=True)).sum().backward()
    assert torch.equal(x, before)


@pytest.mark.parametrize(
    ("p", "eps", "message"),
    [
        (0.5, 1e-6, "p must be at least 1"),
        (float("nan"), 1e-6, "p must be at least 1"),
        (torch.ones(2), 1e-6, r"one value or one per map \(3\)"),
        (torch.ones(1, 3), 1e-6, "not shape"),
        (3.0, 0.0, "eps must be positive"),
    ],
)
def test_wrong_settings_are_refused(p: float | Tensor, eps: float, message: str) -> None:
    for form in FORMS.values():
        with pytest.raises(ValueError, match=message):
            form(maps(1, 3, 2, 2), p, eps)


@pytest.mark.slow
def test_the_module_can_be_exported_with_free_height_and_width() -> None:
    height, width = torch.export.Dim("height", min=2), torch.export.Dim("width", min=2)
    program = torch.export.export(
        GeM(2.5), (maps(2, 3, 6, 8),), dynamic_shapes={"x": {2: height, 3: width}}, strict=False
    )
    x = maps(2, 3, 11, 5)
    torch.testing.assert_close(program.module()(x), GeM(2.5)(x), rtol=1e-6, atol=0)


def test_the_module_can_be_traced_and_saved() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.jit is deprecated, but networks in the field are still traced
        traced = torch.jit.trace(GeM(2.5), (maps(2, 3, 6, 8),))
        buffer = io.BytesIO()
        torch.jit.save(traced, buffer)
        buffer.seek(0)
        loaded = torch.jit.load(buffer)
    x = maps(2, 3, 11, 5)
    torch.testing.assert_close(loaded(x), GeM(2.5)(x), rtol=1e-6, atol=0)


@pytest.mark.slow
def test_the_module_can_be_compiled_in_one_piece() -> None:
    layer = GeM(2.5)
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)  # needs no C++ compiler
    x = maps(2, 3, 6, 8)
    torch.testing.assert_close(compiled(x), layer(x), rtol=1e-6, atol=0)
    ours, plain = (torch.autograd.grad(form(x).sum(), layer.p)[0] for form in (layer, compiled))
    torch.testing.assert_close(ours, plain, rtol=1e-5, atol=0)
