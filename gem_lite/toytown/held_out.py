"""The only door to Toytown's test landmarks. Nothing that chooses a setting may import this module.

The ground truth has exactly the structure of the revisited Oxford and Paris benchmarks, so that the same
evaluation code serves all of them.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gem_lite.profiles import get_profile
from gem_lite.toytown.dataset import ImageSet, landmark_ids, load, rendered
from gem_lite.toytown.ground_truth import QUERIES_PER_LANDMARK, labels, query_views
from gem_lite.toytown.scene import World

FIRST_TEST_LANDMARK = 40_000


@dataclass(frozen=True, eq=False, repr=False)
class TestSet(ImageSet):
    """The test database and its ground truth: views of the test landmarks first, then the distractors.

    Beside the fields of `ImageSet`: ``names`` of all images; ``ground_truth``, for each query its box and the
    rows that are easy, hard and junk; ``query_rows`` (Q,), where the queries lie in the database;
    ``query_groups`` (Q,), the landmark of each query, which a bootstrap draws as one.
    """

    __test__ = False  # the name begins with Test: pytest should not collect it

    names: list[str]
    ground_truth: list[dict[str, list[int]]]
    query_rows: NDArray[np.int64]
    query_groups: NDArray[np.int64]
    n_test: int  # images that show a test landmark; the rest are distractors

    def __repr__(self) -> str:
        tested, few = self.landmarks_with_few_queries()
        return (
            f"<TestSet: {len(self)} images ({self.n_test} of {tested} test landmarks and "
            f"{len(self) - self.n_test} distractors), {len(self.query_rows)} queries; {few} landmarks have "
            f"fewer than {QUERIES_PER_LANDMARK} views that make a good query>"
        )

    def landmarks_with_few_queries(self) -> tuple[int, int]:
        """How many test landmarks there are, and how many of them gave fewer queries than asked for."""
        tested = np.unique(self.landmarks[: self.n_test])
        counts = [int((self.query_groups == landmark).sum()) for landmark in tested]
        return len(tested), sum(count < QUERIES_PER_LANDMARK for count in counts)

    def gnd(self) -> dict[str, Any]:
        """The content of a ground-truth file of the revisited benchmarks: imlist, qimlist and gnd."""
        return {
            "imlist": self.names,
            "qimlist": [self.names[row] for row in self.query_rows],
            "gnd": self.ground_truth,
        }


def load_test(
    profile: str = "lite", seed: int = 0, world: World | None = None, workers: int | None = None
) -> TestSet:
    """Test views and distractors with their ground truth, from the cache or rendered now.

    In another ``world`` the queries, their boxes and all labels remain those that the book's amount of
    clutter gives under the same cameras: between a town with and one without clutter, only the pixels (and
    ``masks``, ``visible``, ``scales``) differ.

    Args:
        profile: name in `gem_lite.profiles`.
        seed: of the run; other seeds have other test landmarks.
        world: parameters of the world; by default those of the book.
        workers: rendering processes; by default one per usable core.

    Raises:
        ValueError: for an unknown profile or a negative seed.

    Chapter: 02_toytown.
    """
    sizes = get_profile(profile)
    world = world or World()
    landmarks, views = sizes.test
    ids = landmark_ids(FIRST_TEST_LANDMARK, landmarks, seed)
    name = f"{profile}-{seed}-test"
    labelling_world = replace(world, clutter=World().clutter)
    labelled = rendered(name, sizes, ids, views, labelling_world, workers)
    shown = labelled if world == labelling_world else rendered(name, sizes, ids, views, world, workers)
    queries = query_views(labelled)
    return _with_distractors(
        shown,
        load(profile, seed, "distractors", world, workers),
        queries,
        [labels(labelled, int(query)) for query in queries],
    )


def _with_distractors(
    test: ImageSet,
    distractors: ImageSet,
    queries: NDArray[np.int64],
    ground_truth: list[dict[str, list[int]]],
) -> TestSet:
    both = (test, distractors)
    names = [
        f"{kind}_{landmark}_{view:02d}"
        for kind, images in zip(("landmark", "distractor"), both, strict=True)
        for landmark, view in zip(images.landmarks, images.views, strict=True)
    ]
    return TestSet(
        images=np.concatenate([images.images for images in both]),
        masks=np.concatenate([images.masks for images in both]),
        landmarks=np.concatenate([images.landmarks for images in both]),
        views=np.concatenate([images.views for images in both]),
        visible=np.concatenate([images.visible for images in both]),
        scales=np.concatenate([images.scales for images in both]),
        world=test.world,
        names=names,
        ground_truth=ground_truth,
        query_rows=queries,
        query_groups=test.landmarks[queries],
        n_test=len(test),
    )
