"""How large everything is: ``tiny`` for tests, ``lite`` for the book on a laptop, ``gpu`` for a runner.

A chapter names a profile and a seed; every size follows from here. The numbers of ``lite`` were fixed
before the first network was fine-tuned and are not tuned to the results.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Profile:
    """Sizes of one profile. Splits are given as (landmarks, views of each)."""

    name: str
    image_size: int  # pixels; the side of the square pictures that the network sees
    train: tuple[int, int]
    val: tuple[int, int]
    test: tuple[int, int]
    distractors: tuple[int, int]
    backdrop: tuple[int, int]  # buildings without clutter, for the pre-training pictures only
    pretrain_steps: int
    pretrain_batch: int
    network: tuple[int | str, ...]  # convolutions by channels, "M" a 2x2 max pooling; the first has stride 2
    epochs: int  # of fine-tuning
    tuples: int  # (query, positive, negatives) per epoch
    mining_pool: int  # images among which an epoch's hard negatives are searched


VGG_LITE: tuple[int | str, ...] = (32, 48, "M", 96, "M", 128, 128)
VGG_GPU: tuple[int | str, ...] = (48, 96, "M", 160, "M", 256, 256)

PROFILES = {
    profile.name: profile
    for profile in (
        Profile("tiny", 64, (12, 6), (6, 5), (8, 8), (8, 2), (24, 2), 30, 32, VGG_LITE, 2, 20, 40),
        Profile("lite", 96, (100, 16), (20, 10), (30, 20), (60, 4), (72, 5), 400, 64, VGG_LITE, 6, 300, 160),
        Profile(
            "gpu", 160, (500, 24), (40, 12), (70, 30), (500, 4), (144, 10), 5000, 128, VGG_GPU, 20, 2000, 2000
        ),
    )
}


def get_profile(name: str) -> Profile:
    """The profile of that name.

    Raises:
        ValueError: for an unknown name, with the known ones.
    """
    if name not in PROFILES:
        raise ValueError(f"unknown profile {name!r}; known: {', '.join(PROFILES)}")
    return PROFILES[name]
