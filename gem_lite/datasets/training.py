"""Training on your own pictures: from folders, or a list, to what `gem_lite.train.fit` takes.

No reconstruction is needed. The paper finds matching pairs by structure from motion because nobody labels a
million photographs; whoever has folders with one object each, or a list of pairs, has more than that.
"""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from gem_lite.datasets.check import unreadable
from gem_lite.datasets.collection import class_names, read_table
from gem_lite.datasets.names import folder_images
from gem_lite.datasets.pairs import GivenPairs, IntArray, clusters_of_pairs, given_pairs, pairs_of_classes
from gem_lite.evaluate import evaluate
from gem_lite.extract import extract
from gem_lite.network import RetrievalNet
from gem_lite.search import rank
from gem_lite.seeds import stream
from gem_lite.train import TrainingData


def own_training_data(
    folder: str | Path,
    labels: str | Path = "classes",
    *,
    held_out: float = 0.2,
    size: float = 1024,
    check: bool = True,
    seed: int = 0,
    progress: bool = True,
) -> TrainingData:
    """Your own pictures, ready for `gem_lite.train.fit`.

    Args:
        folder: of the pictures.
        labels: which of them show the same thing: ``"classes"`` where every thing has its own folder; a CSV
            file with a header and the columns ``image,class``, or ``image_a,image_b`` for matching pairs.
        held_out: share of the classes that are not trained on and serve to choose the best epoch, 0 for none.
        size: longest side of the pictures in validation.
        check: opens every picture first and leaves out the unreadable, with a warning: better now than in
            the middle of the training.
        seed: of the choice of what is held out.
        progress: shows a bar.

    Raises:
        ValueError: for labels that do not fit the folder, or fewer than two things to tell apart.

    Chapter: 12_your_photographs.
    """
    folder = Path(folder).expanduser()
    names = folder_images(folder)
    if check and (bad := unreadable([folder / name for name in names], progress=progress)):
        lines = "\n".join(f"  {error}" for error in bad.values())
        warnings.warn(
            f"{len(bad)} of {len(names)} pictures cannot be read and are left out:\n{lines}", stacklevel=2
        )
        names = [name for row, name in enumerate(names) if row not in bad]
    names, known = _known_pairs(folder, names, labels, seed)
    images = [folder / name for name in names]
    kept, held = split_clusters(known, held_out, seed)
    if len(np.unique(known.clusters[kept])) < 2:
        raise ValueError("there are fewer than two things to train on: give more classes, or held_out=0")
    validate = None
    if len(held):
        validate = pairs_validation([images[row] for row in held], subset(known, held), size, seed=seed)
    return TrainingData([images[row] for row in kept], subset(known, kept), validate)


def _known_pairs(
    folder: Path, names: list[str], labels: str | Path, seed: int
) -> tuple[list[str], GivenPairs]:
    if str(labels) == "classes":
        return names, pairs_of_classes(np.unique(class_names(names), return_inverse=True)[1], seed=seed)
    path = Path(labels).expanduser()
    with open(path, encoding="utf-8-sig") as file:
        paired = "image_a" in file.readline()
    columns = ("image_a", "image_b") if paired else ("image", "class")
    row = {name: number for number, name in enumerate(names)}
    lines = read_table(path, columns)
    for line, record in lines:
        for column in columns if paired else columns[:1]:
            if record[column] not in row:
                raise ValueError(
                    f"{path}, line {line}: there is no readable picture {record[column]!r} in {folder}"
                )
    if paired:
        a, b = (np.array([row[record[column]] for _, record in lines]) for column in columns)
        clusters = clusters_of_pairs(len(names), a, b)
        return names, given_pairs(clusters, np.concatenate([a, b]), np.concatenate([b, a]))
    class_of = {record["image"]: record["class"] for _, record in lines}
    listed = [name for name in names if name in class_of]
    classes = np.unique([class_of[name] for name in listed], return_inverse=True)[1]
    return listed, pairs_of_classes(classes, seed=seed)


def split_clusters(known: GivenPairs, share: float, seed: int = 0) -> tuple[IntArray, IntArray]:
    """Rows of the images to train on, and of those whose clusters are held out; whole clusters go together.

    Only clusters with a matching pair are held out: the others have nothing to ask for.
    """
    if not 0 <= share < 1:
        raise ValueError(f"held_out must be a share in 0..1, not {share}")
    paired = np.unique(known.clusters[known.pairs()[0]])
    if len(paired) < 2:
        raise ValueError(
            "there is no matching pair in two different clusters: nothing can be learned from that"
        )
    count = round(share * len(paired))
    chosen = stream("held out", seed).permutation(paired)[:count]
    held = np.isin(known.clusters, chosen)
    return np.flatnonzero(~held), np.flatnonzero(held)


def subset(known: GivenPairs, rows: IntArray) -> GivenPairs:
    """The pairs among some of the images, whole clusters of them."""
    place = np.full(len(known), -1)
    place[rows] = np.arange(len(rows))
    q, p = known.pairs()
    inside = (place[q] >= 0) & (place[p] >= 0)
    return given_pairs(known.clusters[rows], place[q[inside]], place[p[inside]])


def validation_queries(
    known: GivenPairs, most: int = 100, seed: int = 0
) -> tuple[IntArray, list[dict[str, list[int]]]]:
    """Queries and a ground truth from pairs alone.

    A query's matches are right answers. Other images of its cluster are junk, as it is itself: nobody knows
    whether they match.

    Args:
        known: clusters and pairs of N images.
        most: queries at most, drawn once.
        seed: of that draw.

    Returns:
        Rows of the queries (Q,), ascending, and for each "ok" and "junk" as `gem_lite.evaluate.evaluate`
        takes them.

    >>> known = given_pairs([7, 7, 7, 8], [0, 1], [1, 0])
    >>> validation_queries(known)
    (array([0, 1]), [{'ok': [1], 'junk': [2, 0]}, {'ok': [0], 'junk': [2, 1]}])
    """
    asked = np.unique(known.pairs()[0])
    queries = np.sort(stream("validation queries", seed).permutation(asked)[:most])
    truth = []
    for query in queries:
        positives = known.candidates(int(query))
        others = np.setdiff1d(known.companions(int(query)), positives)
        truth.append({"ok": positives.tolist(), "junk": [*others.tolist(), int(query)]})
    return queries, truth


def pairs_validation(
    images: Sequence[Path], known: GivenPairs, size: float = 1024, most: int = 100, seed: int = 0
) -> Callable[[RetrievalNet], float]:
    """A function that gives a network's mAP, 0..1, on images with known pairs.

    Queries, as `validation_queries` draws them, are searched among all the images.

    Args:
        images: N paths.
        known: their clusters and pairs.
        size: longest side that the network sees.
        most: queries at most, drawn once.
        seed: of that draw.
    """
    queries, truth = validation_queries(known, most, seed)

    def measure(net: RetrievalNet) -> float:
        described = extract(net, list(images), size=size, progress=False)
        ranks, _ = rank(described[queries], described)
        return evaluate(ranks, truth, "classic").map

    return measure
