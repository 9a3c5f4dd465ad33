"""Toytown as files, in the layouts that other retrieval code reads: Oxford/Paris and retrieval-SfM.

::

    DIR/test/toytown/gnd_toytown.pkl        imlist, qimlist, gnd [{bbx, easy, hard, junk}]
    DIR/test/toytown/jpg/NAME.jpg
    DIR/train/toytown/toytown.pkl           train and val, each cids, cluster, qidxs, pidxs
    DIR/train/toytown/ims/aa/bb/cc/CID      JPEGs without an extension, filed by the end of their name
"""

import hashlib
import json
import pickle
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from PIL import Image

from gem_lite.cache import source_hash, written_atomically
from gem_lite.toytown.dataset import ImageSet, load
from gem_lite.toytown.held_out import TestSet, load_test
from gem_lite.toytown.parallel import run_jobs
from gem_lite.toytown.renderer import render_landmark
from gem_lite.toytown.scene import World

SPLITS = ("test", "train", "val")
MANIFEST = "export.json"
PROTOCOL = 4  # pickles of this protocol are read by every Python since 3.4

README = """Toytown, exported
=================

Pictures of a procedural town, with the ground truth and the training pairs that its geometry gives.
{pictures}
Pictures are {size} x {size} pixels, JPEG quality {quality}; profile {profile!r}, seed {seed}.

test/toytown/jpg/*.jpg            the test database
test/toytown/gnd_toytown.pkl      ground truth as of revisited Oxford and Paris: a dictionary of
                                  imlist (database), qimlist (queries; they are in imlist and their own junk)
                                  and gnd, per query bbx [x1, y1, x2, y2] and rows of easy, hard, junk images
train/toytown/toytown.pkl         training set as of retrieval-SfM: 'train' and 'val', each with cids (names),
                                  cluster (the landmark of each), qidxs and pidxs (rows of matching pairs)
train/toytown/ims/aa/bb/cc/CID    its pictures: JPEGs; aa, bb, cc are the last three pairs of digits of CID,
                                  the last pair first

Only the parts that were asked for are here. Both .pkl files hold lists, strings and numbers, nothing else.
Made by: python -m gem_lite.toytown export
"""


def export(
    directory: Path | str,
    profile: str = "lite",
    seed: int = 0,
    size: int = 320,
    quality: int = 90,
    splits: Sequence[str] = SPLITS,
    workers: int | None = None,
) -> None:
    """Writes splits of Toytown as JPEGs with their ground truth; a call that was interrupted is continued.

    Pictures are rendered at ``size``; labels and pairs are those of `load_test` and `load`, whose points are
    judged at the profile's own size.

    Args:
        directory: made where absent.
        profile: name in `gem_lite.profiles`.
        seed: of the run.
        size: side of the pictures in pixels.
        quality: of the JPEGs, 1 to 95.
        splits: any of ``test``, ``train`` and ``val``; the last two share one file.
        workers: rendering processes; by default one per usable core.

    Raises:
        ValueError: for an unknown split or profile, a quality or size out of range, or a directory that
            holds an export of something else.

    Chapter: 02_toytown.
    """
    if unknown := sorted(set(splits) - set(SPLITS)):
        raise ValueError(f"unknown splits {unknown}; known: {', '.join(SPLITS)}")
    if not splits:
        raise ValueError(f"no split to export; known: {', '.join(SPLITS)}")
    if not 1 <= quality <= 95 or size < 1:
        raise ValueError(f"quality must be in 1..95 and size positive, got {quality} and {size}")
    root = Path(directory)
    settings = {"profile": profile, "seed": seed, "size": size, "quality": quality}
    every = _claim(root, settings, splits)
    told = []
    if "test" in every:
        told.append(_export_test(root, load_test(profile, seed, workers=workers), size, quality, workers))
    tuning = {split: load(profile, seed, split, workers=workers) for split in every if split != "test"}
    if tuning:
        told += _export_training(root, tuning, size, quality, workers)
    text = README.format(pictures="\n".join(told), **settings)
    with written_atomically(root / "README.txt") as temporary:
        temporary.write_text(text, encoding="utf8")


def _export_test(root: Path, test: TestSet, size: int, quality: int, workers: int | None) -> str:
    """Pictures, then their ground truth; returns a sentence about them."""
    folder = root / "test" / "toytown"
    paths = [folder / "jpg" / f"{name}.jpg" for name in test.names]
    _write_pictures("test", test, paths, size, quality, workers)
    _write_pickle(folder / "gnd_toytown.pkl", scaled_gnd(test, size))
    return f"{len(test)} test pictures, {len(test.query_rows)} queries."


def _export_training(
    root: Path, tuning: dict[str, ImageSet], size: int, quality: int, workers: int | None
) -> list[str]:
    """Pictures of train and val, then the one file about both; returns a sentence about each."""
    folder = root / "train" / "toytown"
    tables = {split: pair_table(images) for split, images in tuning.items()}
    for split, images in tuning.items():
        paths = [folder / cid_path(name) for name in tables[split]["cids"]]
        _write_pictures(split, images, paths, size, quality, workers)
    _write_pickle(folder / "toytown.pkl", tables)
    return [
        f"{len(table['cids'])} pictures for {split}, {len(table['qidxs'])} matching pairs."
        for split, table in tables.items()
    ]


def scaled_gnd(test: TestSet, size: int) -> dict[str, Any]:
    """The ground-truth file's content, its boxes scaled from the test set's pictures to ``size`` pixels."""
    scale = size / test.images.shape[1]
    content = test.gnd()
    content["gnd"] = [
        {**entry, "bbx": [round(scale * edge, 2) for edge in entry["bbx"]]} for entry in content["gnd"]
    ]
    return content


def pair_table(images: ImageSet) -> dict[str, list[Any]]:
    """One split of the training file: names, clusters, and every (query, positive) that rule m3 allows."""
    queries, positives = images.covisibility.pairs()
    return {
        "cids": [
            cid(int(landmark), int(view))
            for landmark, view in zip(images.landmarks, images.views, strict=True)
        ],
        "cluster": images.landmarks.tolist(),
        "qidxs": queries.tolist(),
        "pidxs": positives.tolist(),
    }


def cid(landmark: int, view: int) -> str:
    """Name of a training picture: 32 hexadecimal digits, as in retrieval-SfM.

    >>> cid(20000, 0) == cid(20000, 0) != cid(20000, 1), len(cid(20000, 0))
    (True, 32)
    """
    return hashlib.sha256(f"toytown/{landmark}/{view}".encode()).hexdigest()[:32]


def cid_path(name: str) -> Path:
    """Where a training picture lies below the training folder.

    >>> cid_path("00112233445566778899aabbccddeeff").as_posix()
    'ims/ff/ee/dd/00112233445566778899aabbccddeeff'
    """
    return Path("ims") / name[-2:] / name[-4:-2] / name[-6:-4] / name


def _claim(root: Path, settings: dict[str, Any], splits: Sequence[str]) -> list[str]:
    """Notes what the directory holds, and returns its splits: those asked for now and those there already."""
    source = source_hash("gem_lite.toytown.export")
    wanted = json.loads(json.dumps({**settings, "world": asdict(World()), "source": source}))
    manifest = root / MANIFEST
    earlier: list[str] = []
    if manifest.exists():
        held = json.loads(manifest.read_text(encoding="utf8"))
        earlier = held.pop("splits")
        if held != wanted:
            raise ValueError(
                f"{root} holds an export with other settings or of another version of Toytown: "
                "choose another directory or remove this one"
            )
    every = [split for split in SPLITS if split in splits or split in earlier]
    with written_atomically(manifest) as temporary:
        temporary.write_text(json.dumps({**wanted, "splits": every}, indent=1), encoding="utf8")
    return every


def _write_pictures(
    split: str, images: ImageSet, paths: Sequence[Path], size: int, quality: int, workers: int | None
) -> None:
    """Renders, in parallel, the pictures that are not there yet."""
    missing: dict[int, list[tuple[int, Path]]] = {}
    for landmark, view, path in zip(images.landmarks, images.views, paths, strict=True):
        if not path.exists():
            missing.setdefault(int(landmark), []).append((int(view), path))
    count = sum(len(views) for views in missing.values())
    run_jobs(
        _write_landmark,
        [(landmark, views, images.world, size, quality) for landmark, views in missing.items()],
        title=f"exporting {split}",
        total=len(paths),
        done=len(paths) - count,
        workers=workers,
    )


def _write_landmark(
    landmark: int, views: list[tuple[int, Path]], world: World, size: int, quality: int
) -> int:
    """A worker's job: JPEGs of some views of one landmark, each at its path; returns how many."""
    renderings = render_landmark(landmark, [view for view, _ in views], world, size)
    for rendering, (_, path) in zip(renderings, views, strict=True):
        with written_atomically(path) as temporary:
            Image.fromarray(rendering.image).save(temporary, format="JPEG", quality=quality)
    return len(views)


def _write_pickle(path: Path, content: dict[str, Any]) -> None:
    with written_atomically(path) as temporary:
        temporary.write_bytes(pickle.dumps(content, protocol=PROTOCOL))
