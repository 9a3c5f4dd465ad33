"""mAP on the validation landmarks: what settings are chosen by, so that the test landmarks stay unseen."""

from collections.abc import Callable

import numpy as np

from gem_lite.evaluate import evaluate
from gem_lite.extract import extract
from gem_lite.network import RetrievalNet
from gem_lite.search import rank
from gem_lite.toytown.dataset import ImageSet
from gem_lite.toytown.ground_truth import labels, query_views


def validation_map(images: ImageSet, protocol: str = "medium") -> Callable[[RetrievalNet], float]:
    """A function that gives a network's mAP, 0..1, on these images; queries and labels are made once.

    Queries are cropped to their landmark and searched among all the images, as in the test; there are no
    distractors, so the numbers are higher than the test's.

    Args:
        images: the val split.
        protocol: as in `gem_lite.evaluate.evaluate`.

    Chapter: 06_training.
    """
    queries = query_views(images)
    ground_truth = [labels(images, int(query)) for query in queries]
    boxes = [entry["bbx"] for entry in ground_truth]

    def measure(net: RetrievalNet) -> float:
        database = extract(net, images.images, size=None, progress=False)
        cropped = extract(net, images.images[queries], size=None, boxes=boxes, progress=False)
        ranks, _ = rank(cropped, database)
        return float(np.nanmean(evaluate(ranks, ground_truth, protocol).aps))

    return measure
