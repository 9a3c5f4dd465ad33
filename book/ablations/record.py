"""The record: means, spreads and intervals of all that was measured, with where and when."""

import subprocess
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np

from book.builder import executed
from figures.surface_shares import SURFACES
from gem_lite import fine_tuned
from gem_lite.cache import source_hash
from gem_lite.evaluate import Interval, bootstrap

from .measure import Found
from .plan import CLOSELY, Job

Array = np.ndarray
# Differences of raw and whitened mAP that the book speaks of: (name, first, second), "network condition".
DIFFERENCES = (
    ("fine-tuned − off the shelf, GeM", "tuned/gem raw", "off/gem raw"),
    ("fine-tuned − off the shelf, MAC", "tuned/mac raw", "off/mac raw"),
    ("fine-tuned − off the shelf, SPoC", "tuned/spoc raw", "off/spoc raw"),
    ("off the shelf, GeM − SPoC", "off/gem raw", "off/spoc raw"),
    ("off the shelf, GeM − MAC", "off/gem raw", "off/mac raw"),
    ("fine-tuned, GeM − MAC", "tuned/gem raw", "tuned/mac raw"),
    ("fine-tuned, GeM − SPoC", "tuned/gem raw", "tuned/spoc raw"),
    ("fine-tuned with Lw, GeM − MAC", "tuned/gem Lw", "tuned/mac Lw"),
    ("fine-tuned with Lw, GeM − SPoC", "tuned/gem Lw", "tuned/spoc Lw"),
    ("GeM, Lw − PCAw", "tuned/gem Lw", "tuned/gem PCAw"),
    ("GeM, Lw − raw", "tuned/gem Lw", "tuned/gem raw"),
    ("GeM, hard − random negatives", "tuned/gem raw", "tuned/gem-random raw"),
    ("GeM with Lw, hard − random negatives", "tuned/gem Lw", "tuned/gem-random Lw"),
    ("GeM, m3 − m1", "tuned/gem raw", "tuned/gem-m1 raw"),
    ("GeM, m3 − m2", "tuned/gem raw", "tuned/gem-m2 raw"),
    ("GeM with Lw, m3 − m1", "tuned/gem Lw", "tuned/gem-m1 Lw"),
    ("GeM with Lw, m3 − m2", "tuned/gem Lw", "tuned/gem-m2 Lw"),
    ("GeM, one p − one p per map", "tuned/gem raw", "tuned/gem-per-channel raw"),
    ("GeM, learned p − p fixed at 3", "tuned/gem raw", "tuned/gem-p3-fixed raw"),
    ("GeM, learned p − p fixed at 1", "tuned/gem raw", "tuned/gem-p1-fixed raw"),
    ("GeM, learned p − p fixed at 10", "tuned/gem raw", "tuned/gem-p10-fixed raw"),
)


def record(found: Mapping[Job, Found], profile: str, seconds: float) -> dict[str, Any]:
    """What goes into the file; a part whose jobs were not run is left out.

    Means are over seeds, in percent; ``sd`` is their sample standard deviation. Intervals are 95 % bootstraps
    over the landmarks of all seeds together: they know nothing of what another training would give, which is
    what ``sd`` is for.
    """
    seeds = sorted({job.seed for job in found})
    by_key: dict[str, dict[int, Found]] = {}
    for job, content in found.items():
        by_key.setdefault(job.key, {})[job.seed] = content
    networks = {key: each for key, each in by_key.items() if not key.startswith("head/")}
    heads = {key.removeprefix("head/"): each for key, each in by_key.items() if key.startswith("head/")}
    content: dict[str, Any] = {
        "recorded": _circumstances(profile, seeds, seconds),
        "networks": {key: _conditions(each) for key, each in networks.items()},
        "differences": _differences(networks),
        "exponents": {key: _exponents(each) for key, each in networks.items() if _has(each, "p")},
        "heads": {key: _head(each) for key, each in heads.items()},
        "surfaces": {key: _surfaces(each) for key, each in networks.items() if _has(each, "surfaces")},
        "dimensions": {key: _dimensions(each) for key, each in networks.items() if _has(each, "dimensions")},
    }
    if CLOSELY in networks and _has(networks[CLOSELY], "expansion"):
        content["expansion"] = _expansion(networks[CLOSELY])
        content["scales"] = _scales(networks[CLOSELY])
    return content


def _has(by_seed: Mapping[int, Found], part: str) -> bool:
    return all(part in found for found in by_seed.values())


def _circumstances(profile: str, seeds: list[int], seconds: float) -> dict[str, Any]:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return {
        "profile": profile,
        "seeds": seeds,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds_of_last_call": round(seconds),
        "commit": commit.stdout.strip(),
        "sources": source_hash(*fine_tuned.MODULES)[:12],  # of the networks: equal ones train the same
        "versions": executed.versions(),
        "hardware": executed.hardware(),
    }


def over_seeds(values: Iterable[float], digits: int = 2) -> dict[str, Any]:
    """Mean and sample standard deviation of one value per seed (None for one seed), with the values."""
    each = np.array(list(values), dtype=float)
    sd = round(float(each.std(ddof=1)), digits) if len(each) > 1 else None
    return {
        "mean": round(float(each.mean()), digits),
        "sd": sd,
        "each": [round(float(v), digits) for v in each],
    }


def _percent(aps: list[float]) -> float:
    return 100 * float(np.nanmean(np.array(aps, dtype=float)))


def _together(parts: Iterable[tuple[list[float], list[int]]]) -> tuple[Array, Array]:
    """Values and landmarks of all seeds one after the other; no two seeds share a landmark."""
    values, groups = zip(*parts, strict=True)
    return np.concatenate([np.array(v, dtype=float) for v in values]), np.concatenate(groups)


def _interval(interval: Interval, scale: float = 100.0) -> dict[str, float]:
    return {name: round(scale * value, 2) for name, value in vars(interval).items()}


def _conditions(by_seed: Mapping[int, Found]) -> dict[str, Any]:
    first = next(iter(by_seed.values()))
    found = {}
    for condition in first["aps"]:
        values, groups = _together((f["aps"][condition], f["groups"]) for f in by_seed.values())
        interval = _interval(bootstrap(values, groups=groups))
        found[condition] = over_seeds(_percent(f["aps"][condition]) for f in by_seed.values()) | {
            "low": interval["low"],
            "high": interval["high"],
        }
    return found


def _paired(first: Mapping[int, Found], second: Mapping[int, Found], a: str, b: str) -> dict[str, Any]:
    one, groups = _together((f["aps"][a], f["groups"]) for f in first.values())
    two, _ = _together((f["aps"][b], f["groups"]) for f in second.values())
    each = [_percent(first[seed]["aps"][a]) - _percent(second[seed]["aps"][b]) for seed in first]
    return over_seeds(each) | _interval(bootstrap(one, two, groups))


def _differences(networks: Mapping[str, Mapping[int, Found]]) -> dict[str, Any]:
    found = {}
    for name, first, second in DIFFERENCES:
        (key_a, a), (key_b, b) = first.split(" "), second.split(" ")
        if key_a in networks and key_b in networks:
            found[name] = _paired(networks[key_a], networks[key_b], f"{a}/medium", f"{b}/medium")
    return found


def _exponents(by_seed: Mapping[int, Found]) -> dict[str, Any]:
    finals = [np.array(found["p"]) for found in by_seed.values()]
    return over_seeds([p.mean() for p in finals], 3) | {
        "lowest": round(float(min(p.min() for p in finals)), 3),
        "highest": round(float(max(p.max() for p in finals)), 3),
    }


def _head(by_seed: Mapping[int, Found]) -> dict[str, Any]:
    found = {"accuracy": over_seeds(100 * f["accuracy"] for f in by_seed.values()), **_conditions(by_seed)}
    for world in ("town", "bare"):
        for kind in ("raw", "Lw"):
            gap = _paired(by_seed, by_seed, f"{world}/gem/{kind}", f"{world}/spoc/{kind}")
            found[f"{world}/gem − spoc/{kind}"] = gap
    return found


def _surfaces(by_seed: Mapping[int, Found]) -> dict[str, Any]:
    found = {}
    for name in SURFACES:
        share = over_seeds((100 * np.mean(f["surfaces"]["share"][name]) for f in by_seed.values()), 3)
        area = over_seeds((100 * f["surfaces"]["area"][name] for f in by_seed.values()), 3)
        found[name] = {"share": share, "area": area}
    return found


def _dimensions(by_seed: Mapping[int, Found]) -> dict[str, Any]:
    """Curves over the numbers of components that every seed has, and the paired difference at each."""
    everywhere = set.intersection(*(set(f["dimensions"]["dimensions"]) for f in by_seed.values()))
    found: dict[str, Any] = {}
    for dimension in sorted(everywhere):
        curves: dict[str, list[tuple[list[float], list[int]]]] = {"PCAw": [], "Lw": []}
        for f in by_seed.values():
            place = f["dimensions"]["dimensions"].index(dimension)
            for name, parts in curves.items():
                parts.append((f["dimensions"][name][place], f["groups"]))
        (pca, groups), (lw, _) = _together(curves["PCAw"]), _together(curves["Lw"])
        found[str(dimension)] = {
            **{name: over_seeds(_percent(aps) for aps, _ in parts) for name, parts in curves.items()},
            "Lw − PCAw": _interval(bootstrap(lw, pca, groups)),
        }
    return found


def _expansion(by_seed: Mapping[int, Found]) -> dict[str, Any]:
    """Maps of mean mAP (alphas, counts), and two questions with intervals: robustness and the best cells."""
    first = next(iter(by_seed.values()))["expansion"]
    alphas, counts = first["alphas"], first["counts"]
    found: dict[str, Any] = {"alphas": alphas, "counts": counts}
    for kind in ("raw", "Lw"):
        maps = [np.array(f["expansion"][kind], dtype=float) for f in by_seed.values()]
        found[kind] = np.round(100 * np.mean([np.nanmean(m, axis=2) for m in maps], axis=0), 2).tolist()
        joined = np.concatenate(maps, axis=2)
        groups = np.concatenate([f["groups"] for f in by_seed.values()])
        at = alphas.index(3.0)
        gap = bootstrap(joined[at, counts.index(100)], joined[0, counts.index(100)], groups)
        found[f"{kind}, α=3 − AQE at n=100"] = _interval(gap)
        means = np.nanmean(joined, axis=2)
        best = np.unravel_index(means[1:].argmax(), means[1:].shape)
        gap = bootstrap(joined[1 + best[0], best[1]], joined[0, means[0].argmax()], groups)
        found[f"{kind}, best α-QE − best AQE"] = _interval(gap)
        without = _together((f["aps"][f"{kind}/medium"], f["groups"]) for f in by_seed.values())[0]
        gap = bootstrap(joined[at, counts.index(50)], without, groups)
        found[f"{kind}, α=3 n=50 − none"] = _interval(gap)
    return found


def _scales(by_seed: Mapping[int, Found]) -> dict[str, Any]:
    names = next(iter(by_seed.values()))["scales"]
    found: dict[str, Any] = {}
    for name in names:
        found[name] = {}
        for kind in ("raw", "Lw"):
            values, groups = _together((f["scales"][name][kind], f["groups"]) for f in by_seed.values())
            single, _ = _together((f["scales"]["1"][kind], f["groups"]) for f in by_seed.values())
            means = over_seeds(_percent(f["scales"][name][kind]) for f in by_seed.values())
            found[name][kind] = means | {"over one": _interval(bootstrap(values, single, groups))}
    return found
