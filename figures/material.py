"""What the chapters on retrieval work with: pictures, queries, pairs and networks, of Toytown or real ones.

Under the profile ``paper`` the pictures to search are a revisited benchmark, the fine-tuned network is one
that the paper's authors released, the off-the-shelf one has the same body with torchvision's ImageNet
weights, and whitening is learned from retrieval-SfM-120k. All of it is downloaded, or lies where the table
of `gem_lite.datasets.sources` says. Under every other profile it is Toytown with the book's own networks.
"""

from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from figures.collection import Collection, Pictures
from gem_lite import toytown
from gem_lite.checkpoints import open_network
from gem_lite.datasets import load_benchmark, load_sfm, released_network
from gem_lite.datasets.pairs import clusters_of_pairs, given_pairs
from gem_lite.datasets.training import validation_queries
from gem_lite.fine_tuned import Variant, fine_tuned
from gem_lite.network import RetrievalNet, build_network
from gem_lite.off_the_shelf import device, pretrained
from gem_lite.toytown.dataset import ImageSet
from gem_lite.toytown.ground_truth import labels, query_views

TRAINING_SET = "retrieval-SfM-120k"
MOST_QUERIES = 100  # of the real validation set


class Town:
    """Toytown of a profile and seed, and the networks trained on it."""

    tuned = ("gem", "spoc", "mac")  # poolings of which there is a fine-tuned network

    def __init__(self, profile: str = "lite", seed: int = 0) -> None:
        self.profile, self.seed = profile, seed

    def train(self) -> Pictures:
        """The landmarks that networks are tuned and whitening is learned on."""
        return pictures_of(toytown.load(self.profile, self.seed, "train"))

    def val(self) -> Collection:
        """The landmarks on which settings are chosen."""
        return judged(toytown.load(self.profile, self.seed, "val"))

    def test(self) -> Collection:
        """The test landmarks among distractors."""
        return collection_of(toytown.load_test(self.profile, self.seed))

    def off_the_shelf(self, pooling: str = "gem") -> RetrievalNet:
        """Pre-trained, never fine-tuned; GeM has p = 3."""
        return pretrained(self.profile, self.seed, pooling)

    def fine_tuned(self, pooling: str = "gem") -> RetrievalNet:
        """Fine-tuned with this pooling."""
        return fine_tuned(self.profile, self.seed, Variant(pooling))[0]


def pictures_of(images: ImageSet) -> Pictures:
    """A split of Toytown, all m3 pairs."""
    known = images.covisibility
    return Pictures(images.images, None, images.landmarks, known.pairs(), known)


def collection_of(test: toytown.TestSet) -> Collection:
    """Toytown's test set."""
    rows = test.query_rows
    return Collection(
        test.images, None, test.images[rows], test.ground_truth, rows, test.query_groups, town=test
    )


def judged(images: ImageSet) -> Collection:
    """Queries and ground truth of a split that comes without, as the val split does."""
    rows = query_views(images)
    truth = [labels(images, int(row)) for row in rows]
    pairs, groups = images.covisibility.pairs(), images.landmarks[rows]
    return Collection(images.images, None, images.images[rows], truth, rows, groups, pairs, images)


class Photographs:
    """A revisited benchmark, the authors' network and their training set.

    Args:
        dataset: ``roxford5k`` or ``rparis6k``; with distractors ``roxford5k+1m``.
        network: name of a released one, or the path of a network's file, with GeM and no whitening inside.
        image_size: longest side that the network sees, in pixels; pictures are never enlarged.
        seed: of the draw of validation queries.
    """

    tuned = ("gem",)  # no other was released

    def __init__(self, dataset: str, network: str, image_size: float = 1024, seed: int = 0) -> None:
        self.dataset, self.network, self.size, self.seed = dataset, network, image_size, seed
        # Descriptors in full float32, as on the CPU: whitening magnifies what a GPU would round away.
        torch.backends.cudnn.allow_tf32 = False

    def train(self) -> Pictures:
        """The images and pairs that the authors learn whitening from; what a pair links is one landmark."""
        found = load_sfm(TRAINING_SET, "whiten")
        q, p = found.queries, found.positives
        known = given_pairs(clusters_of_pairs(len(found.images), q, p), q, p)
        return Pictures(found.images, self.size, known.clusters, (q, p), known)

    def val(self) -> Collection:
        """The training set's held-out 3D models; no query is cut out, a match is easy."""
        found = load_sfm(TRAINING_SET, "val")
        known = found.covisibility
        rows, truth = validation_queries(known, MOST_QUERIES, self.seed)
        revisited = [{"easy": each["ok"], "hard": [], "junk": each["junk"]} for each in truth]
        return Collection(
            found.images,
            self.size,
            [found.images[row] for row in rows],
            revisited,
            rows,
            known.clusters[rows],
            (found.queries, found.positives),
        )

    def test(self) -> Collection:
        """The benchmark.

        Raises:
            ValueError: for one without easy and hard answers, as the classic ones are.
        """
        found = load_benchmark(self.dataset)
        if "easy" not in found.protocols:
            raise ValueError(
                f"{self.dataset} has no easy and hard answers, which these chapters ask for: take roxford5k "
                "or rparis6k, or measure it with python -m gem_lite evaluate"
            )
        groups = np.array(found.groups)
        return Collection(found.images, self.size, found.queries, found.gnd, found.query_rows, groups)

    @cached_property
    def _file(self) -> Path:
        path = Path(self.network).expanduser()
        return path if path.is_file() else released_network(self.network)

    def fine_tuned(self, pooling: str = "gem") -> RetrievalNet:
        """The released network.

        Raises:
            ValueError: for another pooling than its own, or if it ends in a whitening already.
        """
        net = open_network(self._file)
        if pooling not in self.tuned or net.whiten is not None:
            raise ValueError(
                f"{self.network}: these chapters put a whitening of their own behind a network with GeM, as "
                "retrievalSfM120k-resnet101-gem and retrievalSfM120k-vgg16-gem are"
            )
        return net.to(device())

    def off_the_shelf(self, pooling: str = "gem") -> RetrievalNet:
        """The same body as classified ImageNet; GeM has p = 3."""
        architecture = str(open_network(self._file).meta["architecture"])
        return build_network(architecture, pooling, weights="imagenet").to(device())


Material = Town | Photographs


def material(
    profile: str = "lite",
    seed: int = 0,
    dataset: str = "roxford5k",
    network: str = "retrievalSfM120k-resnet101-gem",
    image_size: float = 1024,
) -> Material:
    """What a chapter works with under a profile; all but profile and seed count for ``paper`` alone."""
    if profile == "paper":
        return Photographs(dataset, network, image_size, seed)
    return Town(profile, seed)
