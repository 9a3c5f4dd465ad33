"""What is trained and measured for every seed: the main table, variants of training, heads of pre-training.

A seed changes everything random, the landmarks included. The order is that of usefulness: an interrupted run
has the main table of all seeds before the first variant.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from gem_lite.fine_tuned import Variant
from gem_lite.pretrain import HEADS

SEEDS = (0, 1, 2)
POOLINGS = ("mac", "spoc", "gem")
MAIN = (Variant("gem"), Variant("mac"), Variant("spoc"), Variant("gem", negatives="random"))
VARIANTS = (
    Variant("gem", positives="m1"),
    Variant("gem", positives="m2"),
    Variant("gem", per_channel=True),
    Variant("gem", p=1.0, learn_p=False),
    Variant("gem", p=3.0, learn_p=False),
    Variant("gem", p=10.0, learn_p=False),
)
# GeM is looked at more closely: over dimensions, expansions and scales.
CLOSELY = "tuned/gem"


@dataclass(frozen=True)
class Job:
    """One measurement: ``kind`` is "off" (a pooling), "tuned" (a variant) or "head" (of pre-training)."""

    seed: int
    kind: str
    name: str

    @property
    def key(self) -> str:
        """Name without the seed, as in the results."""
        return f"{self.kind}/{self.name}"


def variant(name: str) -> Variant:
    """The variant of that name."""
    return next(each for each in (*MAIN, *VARIANTS) if each.name == name)


def jobs(seeds: tuple[int, ...] = SEEDS) -> Iterator[Job]:
    """All jobs, the most useful first."""
    for seed in seeds:
        yield from (Job(seed, "off", pooling) for pooling in POOLINGS)
        yield from (Job(seed, "tuned", each.name) for each in MAIN)
    for seed in seeds:
        yield from (Job(seed, "head", head) for head in HEADS)
    for seed in seeds:
        yield from (Job(seed, "tuned", each.name) for each in VARIANTS)
