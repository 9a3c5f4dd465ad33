"""Training shared by the processes that ``torchrun`` starts, one for each GPU, with the result of one alone.

Every process holds the network and the whole list of images. Of each step it describes its share of the
tuples, and of each epoch's mining pool its share of the images; gradients and descriptors then go round, so
that all see the same hard negatives and take the same step. Outside ``torchrun`` everything here is the plain
function of the same name: a script that uses it runs either way.
"""

import hashlib
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import Tensor, nn

from gem_lite import train
from gem_lite.network import RetrievalNet
from gem_lite.processes import failing_together, gathered, rank_and_count
from gem_lite.train import History, Images, TrainConfig, TrainingData


def fit(
    net: RetrievalNet,
    data: TrainingData,
    config: TrainConfig,
    checkpoint: str | Path | None = None,
    progress: bool = True,
    title: str = "fine-tuning",
) -> History:
    """`gem_lite.train.fit`, shared by all processes: the same arguments and errors, and the same result.

    The same to the last bits only: sums are taken in another order, which in float32 a whole training
    magnifies as it does any rounding. A step has `config.batch` tuples however many processes share it, so
    nothing has to be tuned anew. Process 0 alone validates, shows the bar and writes the checkpoint, which
    must lie where every process can read it.

    Args:
        net: on the device of this process; all begin with the weights of process 0.
        data, config, checkpoint, progress, title: as there, the same in every process.

    Chapter: 13_going_large.
    """
    if not dist.is_initialized():
        return train.fit(net, data, config, checkpoint, progress, title)
    return _SharedRun(net, data, config).to_end(checkpoint, progress and dist.get_rank() == 0, title)


def describe(net: RetrievalNet, images: Images, size: int) -> NDArray[np.float32]:
    """Descriptors (N, D) of all images in every process, each of which described a part of them.

    Raises:
        RuntimeError: in the others, if one process failed; it says which, and why.
    """
    rank, count = rank_and_count()
    start, stop = (len(images) * place // count for place in (rank, rank + 1))
    mine = None
    with failing_together("describing images"):
        if start < stop:
            mine = train.describe(net, images[start:stop], size)
    return np.concatenate([part for part in gathered(mine) if part is not None])


class _SharedRun(train._Run):
    """A run of which this process takes a share of every step."""

    def __init__(self, net: RetrievalNet, data: TrainingData, config: TrainConfig) -> None:
        for tensor in net.state_dict().values():
            dist.broadcast(tensor, 0)
        super().__init__(net, replace(data, validate=_by_first(data.validate)), config, describe)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # the argument's new name is too new
            # Batch statistics are frozen, so there are no buffers to keep equal.
            shared = nn.parallel.DistributedDataParallel(net, broadcast_buffers=False)
        # A lambda has no annotations, which would have to be of a type that mypy does not find.
        shared.register_comm_hook(None, lambda _, bucket: self.weighted_sum(bucket))
        self.forward = torch.compile(shared) if config.compile else shared
        self.weight = 1.0

    def to_end(self, checkpoint: str | Path | None, progress: bool, title: str) -> History:
        """As of one process, once all have been seen to begin with the same checkpoint."""
        path = None if checkpoint is None else Path(checkpoint)
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path and path.exists() else None
        if len(set(gathered(content))) > 1:
            raise ValueError(
                f"{path} is not the same file for every process: give a folder that all can read"
            )
        return super().to_end(checkpoint, progress, title)

    def draw(self, number: int) -> NDArray[np.int64]:
        """The tuples of an epoch, those of process 0: two kinds of processor may settle a tie differently."""
        tuples: NDArray[np.int64] = gathered(super().draw(number))[0]
        return tuples

    def step(self, tuples: NDArray[np.int64]) -> float:
        """One descent on a few tuples, of which this process has a share; returns the mean loss of all."""
        rank, count = rank_and_count()
        share = np.array_split(tuples, count)[rank]
        self.weight = len(share) / len(tuples)
        # A process that is left without a tuple takes part with weight 0: the others wait for its gradients.
        loss = super().step(share if len(share) else tuples[:1])
        total = torch.tensor(self.weight * loss, dtype=torch.float64, device=self.net.mean.device)
        dist.all_reduce(total)
        return float(total)

    def weighted_sum(self, bucket: Any) -> "torch.futures.Future[Tensor]":
        """Gradients of the mean over all tuples from those of each process's mean over its share."""
        gradients = bucket.buffer().mul_(self.weight)
        done: torch.futures.Future[Any] = dist.all_reduce(gradients, async_op=True).get_future()
        return done.then(lambda future: future.value()[0])

    def save(self, path: Path) -> None:
        if dist.get_rank() == 0:
            super().save(path)


def _by_first(validate: Callable[[RetrievalNet], float] | None) -> Callable[[RetrievalNet], float] | None:
    """Validation by process 0, whose value all take: so that all keep the same epoch."""
    if validate is None:
        return None
    return lambda net: gathered(validate(net) if dist.get_rank() == 0 else None)[0]
