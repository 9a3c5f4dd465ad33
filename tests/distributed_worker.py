"""What each process of test_distributed.py does, started by ``torchrun``: trains, mines, describes.

torchrun --standalone --nproc-per-node 2 tests/distributed_worker.py FOLDER
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from test_train import SMALL, small_data, small_net

from gem_lite import distributed, train
from gem_lite.processes import processes
from gem_lite.train import History, TrainConfig, TrainingData

# Nine tuples, two a step: shares are equal, but for the last step, of which a process has none.
EPOCH = replace(SMALL, epochs=1, tuples=9)
# Three tuples, one step: the shares are unequal. What is left in .grad is the first step's gradient.
STEP = replace(SMALL, epochs=1, tuples=3, batch=3)


def trained(
    config: TrainConfig, dtype: torch.dtype, checkpoint: Path | None = None, rank: int = 0
) -> tuple[dict[str, np.ndarray], History]:
    """Weights and gradients after a training with pictures of two sizes, and its history."""
    torch.manual_seed(rank)  # the processes begin with weights of their own, and take those of process 0
    net = small_net().to(dtype)
    data = small_data(sizes=(24, 36))
    values = iter([0.9, 0.1, 0.2, 0.3] if rank == 0 else [0.1, 0.2, 0.3, 0.9])
    data = TrainingData(data.images, data.covisibility, lambda net: next(values))
    history = distributed.fit(net, data, config, checkpoint, progress=False)
    found = {f"weight {name}": value.detach().numpy() for name, value in net.named_parameters()}
    found |= {f"gradient {name}": value.grad.numpy() for name, value in net.named_parameters()}
    return found, history


def main(folder: Path) -> None:
    with processes("cpu") as here:
        assert here.count == 2
        epoch, history = trained(EPOCH, torch.float64, rank=here.rank)
        step, _ = trained(STEP, torch.float32, rank=here.rank)
        trained(EPOCH, torch.float64, folder / "run.pt", here.rank)
        _, resumed = trained(replace(EPOCH, epochs=2), torch.float64, folder / "run.pt", here.rank)
        torch.manual_seed(0)
        net, data = small_net().double(), small_data(sizes=(24, 36))
        mined = train.draw_tuples(net, data, SMALL, 1, describe=distributed.describe)
        errors = []
        for attempt in (
            lambda: distributed.describe(net, [*data.images[:3], "missing.jpg"], 64),
            lambda: distributed.fit(net, data, EPOCH, folder / f"{here.rank}.pt", progress=False),
        ):
            (folder / "1.pt").write_bytes(b"another")
            try:
                attempt()
            except (RuntimeError, ValueError) as error:
                errors.append(str(error))
        results = {f"epoch {name}": value for name, value in epoch.items()}
        results |= {f"step {name}": value for name, value in step.items()}
        np.savez(
            folder / f"rank{here.rank}.npz",
            mined=mined,
            loss=history.column("loss"),
            validation=resumed.column("validation"),
            errors=np.array(errors),
            alone=distributed.describe(net, data.images[:1], 64),  # fewer images than processes
            **results,
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
