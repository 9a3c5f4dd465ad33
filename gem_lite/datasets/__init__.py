"""Data: ground truths, the benchmarks of the paper, its training sets, and collections of your own.

Where everything comes from stands in `sources.toml`, and can be changed there by a file of your own.
"""

from gem_lite.datasets.benchmark import Benchmark, load_benchmark, load_distractors
from gem_lite.datasets.collection import load_collection
from gem_lite.datasets.fetch import released_network
from gem_lite.datasets.ground_truth import GroundTruth, checked_ground_truth, load_ground_truth
from gem_lite.datasets.sfm import PairedImages, load_sfm
from gem_lite.datasets.sources import data_dir, sources

__all__ = [
    "Benchmark",
    "GroundTruth",
    "PairedImages",
    "checked_ground_truth",
    "data_dir",
    "load_benchmark",
    "load_collection",
    "load_distractors",
    "load_ground_truth",
    "load_sfm",
    "released_network",
    "sources",
]
