"""One job's measurements: average precisions of every test query under every condition, as plain lists."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from figures import attention_shares, expansion_map, power_sweep, scales_curve
from figures.attention_pairs import matching_pairs
from figures.material import collection_of
from figures.surface_shares import SURFACES
from figures.whitening_curves import DIMENSIONS
from figures.whitening_retrieval import Search, both_whitenings, describe, fit_learned, over_dimensions
from gem_lite import toytown
from gem_lite.cache import artefact_path, made_once, written_atomically
from gem_lite.extract import extract
from gem_lite.fine_tuned import fine_tuned
from gem_lite.network import RetrievalNet
from gem_lite.off_the_shelf import device, pretrained
from gem_lite.profiles import get_profile
from gem_lite.threads import fixed_threads
from gem_lite.toytown import World, load_test
from gem_lite.toytown.dataset import ImageSet
from gem_lite.toytown.held_out import TestSet

from .plan import CLOSELY, Job, variant

# What trains, renders and measures; this file's own text is hashed beside them.
MODULES = ("gem_lite.steps", "figures.expansion_map", "figures.attention_shares", "figures.scales_curve")
HEAD_POWERS = (1.0, 3.0, np.inf)
HEAD_NAMES = ("spoc", "gem", "mac")
PAIRS = 400
Found = dict[str, Any]


def measured(job: Job, profile: str) -> Found:
    """What a job found, from the cache or measured now (trained now, if need be)."""
    settings = {"job": asdict(job), "profile": asdict(get_profile(profile)), "device": device()}
    settings["measuring"] = Path(__file__).read_text(encoding="utf8")
    name = f"ablation-{profile}-{job.seed}-{job.kind}-{job.name}"
    path = artefact_path(name, settings, MODULES, ".json")

    def make() -> None:
        with fixed_threads(1):
            found = KINDS[job.kind](job, profile)
        with written_atomically(path) as part:
            part.write_text(json.dumps(found), encoding="utf8")

    made_once(path, lambda: _readable(path), make)
    found: Found = json.loads(path.read_text(encoding="utf8"))
    return found


def _readable(path: Path) -> bool:
    try:
        json.loads(path.read_text(encoding="utf8"))
    except (OSError, ValueError):
        return False
    return True


def _off(job: Job, profile: str) -> Found:
    return _network(pretrained(profile, job.seed, job.name), job, profile)


def _tuned(job: Job, profile: str) -> Found:
    net, history = fine_tuned(profile, job.seed, variant(job.name))
    found = _network(net, job, profile)
    found["history"] = history.rows
    if hasattr(net.pool, "p"):
        found["p"] = net.pool.p.detach().tolist()
    return found


def _network(net: RetrievalNet, job: Job, profile: str) -> Found:
    """Raw and whitened retrieval, and on which surfaces similarities rest."""
    train, test = toytown.load(profile, job.seed, "train"), load_test(profile, job.seed)
    rows = extract(net, train.images, size=None, progress=False)
    search = describe(net, collection_of(test))
    whitenings = both_whitenings(rows, train.covisibility.pairs())
    searches = {"raw": search, **{name: search.whitened(each) for name, each in whitenings.items()}}
    found: Found = {
        "groups": test.query_groups.tolist(),
        "shrinkage": whitenings["Lw"].shrinkage_,
        "aps": {
            f"{name}/{protocol}": each.average_precisions(protocol=protocol).tolist()
            for name, each in searches.items()
            for protocol in ("easy", "medium", "hard")
        },
    }
    if job.kind == "off" or job.name in ("mac", "spoc", "gem"):
        found["surfaces"] = _surfaces(net, test)
    if job.key in (CLOSELY, "off/gem"):
        found["dimensions"] = _over_dimensions(search, rows, train)
    if job.key == CLOSELY:
        found["expansion"] = _expansions(searches)
        found["scales"] = _scales(net, test, train)
    return found


def _surfaces(net: RetrievalNet, test: TestSet) -> Found:
    """Mean shares of area and of similarity, over the same pairs for every network of a seed."""
    pairs = matching_pairs(test, PAIRS, 0)
    split = attention_shares.split(net, test)
    share, area = split.by_surface(pairs), split.area(pairs)
    return {
        "groups": test.landmarks[[a for a, _ in pairs]].tolist(),
        "share": {name: share[:, label].tolist() for name, label in SURFACES.items()},
        "area": {name: float(area[:, label].mean()) for name, label in SURFACES.items()},
    }


def _over_dimensions(search: Search, rows: np.ndarray, train: ImageSet) -> Found:
    most = len(both_whitenings(rows, train.covisibility.pairs())["PCAw"].components_)
    dimensions = [each for each in DIMENSIONS if each < most] + [most]
    curves = over_dimensions(search, rows, train.covisibility.pairs(), dimensions)
    return {"dimensions": dimensions, **{name: curves[name].tolist() for name in ("PCAw", "Lw")}}


def _expansions(searches: Mapping[str, Search]) -> Found:
    maps = {name: expansion_map.measure(searches[name]) for name in ("raw", "Lw")}
    return {
        "alphas": list(expansion_map.ALPHAS),
        "counts": list(expansion_map.COUNTS),
        **{name: aps.tolist() for name, aps in maps.items()},
    }


def _scales(net: RetrievalNet, test: TestSet, train: ImageSet) -> Found:
    """Sets of scales, raw and whitened; the whitening is learned at the same scales."""
    boxes = [truth["bbx"] for truth in test.ground_truth]
    found: Found = {}
    for name, scales in scales_curve.SETS.items():
        rows, database = (
            extract(net, images, size=None, scales=scales, progress=False)
            for images in (train.images, test.images)
        )
        pictures = test.images[test.query_rows]
        queries = extract(net, pictures, size=None, scales=scales, boxes=boxes, progress=False)
        search = Search(database, queries, test.query_rows, test.ground_truth, test.query_groups)
        whitening = fit_learned(rows, train.covisibility.pairs())
        found[name] = {
            "raw": search.average_precisions().tolist(),
            "Lw": search.average_precisions(whitening).tolist(),
        }
    return found


def _head(job: Job, profile: str) -> Found:
    """Off-the-shelf retrieval of the three poolings, in the town and without its clutter, raw and with Lw."""
    net = pretrained(profile, job.seed, head=job.name)
    train = toytown.load(profile, job.seed, "train")
    blocks = _train_blocks(net, train)
    worlds = {
        "town": load_test(profile, job.seed),
        "bare": load_test(profile, job.seed, World(clutter=(0, 0))),
    }
    found: Found = {
        "groups": worlds["town"].query_groups.tolist(),
        "accuracy": net.meta["accuracy"],
        "aps": {},
    }
    for world, test in worlds.items():
        database, queries = power_sweep.describe(net, test, HEAD_POWERS)
        for name, rows, x, q in zip(HEAD_NAMES, blocks, database, queries, strict=True):
            search = Search(x, q, test.query_rows, test.ground_truth, test.query_groups)
            whitening = fit_learned(rows, train.covisibility.pairs())
            found["aps"][f"{world}/{name}/raw"] = search.average_precisions().tolist()
            found["aps"][f"{world}/{name}/Lw"] = search.average_precisions(whitening).tolist()
    return found


def _train_blocks(net: RetrievalNet, train: ImageSet) -> Sequence[np.ndarray]:
    pool = power_sweep.PoolWithEvery(HEAD_POWERS)
    colours = {"mean": net.mean.flatten().tolist(), "std": net.std.flatten().tolist()}
    rows = extract(RetrievalNet(net.backbone, pool, **colours), train.images, size=None, progress=False)
    blocks = rows.reshape(len(rows), len(HEAD_POWERS), -1).swapaxes(0, 1)
    return list(blocks / np.linalg.norm(blocks, axis=2, keepdims=True))


KINDS: dict[str, Callable[[Job, str], Found]] = {"off": _off, "tuned": _tuned, "head": _head}
