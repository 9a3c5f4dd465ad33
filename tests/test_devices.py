"""The network on a GPU, on machines without one: PyTorch's fake tensors know devices and compute nothing.

What would meet with a tensor of another device fails here as it would there.
"""

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.func import functional_call

from gem_lite.extract import describe_at_scales
from gem_lite.network import RetrievalNet, build_network
from gem_lite.pooling import GeM


def on_gpu(net: RetrievalNet, mode: FakeTensorMode) -> dict[str, Tensor]:
    """Fake copies on a GPU of all that a network holds."""
    with mode:
        held = [*net.named_parameters(), *net.named_buffers()]
        return {name: torch.empty(x.shape, dtype=x.dtype, device="cuda") for name, x in held}


@pytest.mark.parametrize(
    "pooling",
    ["gem", "mac", "spoc", "rmac", GeM(3.0, channels=128)],
    ids=["gem", "mac", "spoc", "rmac", "p per channel"],
)
def test_everything_stays_on_the_gpu(pooling: str | GeM) -> None:
    net, mode = build_network("compact", pooling), FakeTensorMode()
    state = on_gpu(net, mode)
    with mode:
        images = torch.rand(4, 3, 160, 160, device="cuda")

        def forward(x: Tensor) -> Tensor:
            return functional_call(net, state, (x,))

        for described in (forward(images), describe_at_scales(forward, images, (1, 0.5), 2.0)):
            assert described.device.type == "cuda"
            assert described.shape == (4, 128)


def test_a_tensor_that_stayed_behind_is_found() -> None:
    net, mode = build_network("compact"), FakeTensorMode()
    state = on_gpu(net, mode)
    with mode:
        state["mean"] = torch.zeros(1, 3, 1, 1)
        state["backbone.0.weight"] = state["backbone.0.weight"].to("cpu")
        with pytest.raises(RuntimeError, match="two devices"):
            functional_call(net, state, (torch.rand(4, 3, 160, 160, device="cuda"),))
