"""Data: ground truths, the benchmarks of the paper, its training sets, and collections of your own."""

from gem_lite.datasets.ground_truth import GroundTruth, checked_ground_truth, load_ground_truth

__all__ = ["GroundTruth", "checked_ground_truth", "load_ground_truth"]
