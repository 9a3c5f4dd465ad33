"""Benchmarks come from miniature archives of exactly the real structure, by the real addresses' paths."""

import io
import pickle
import shutil
import warnings

import numpy as np
import pytest
from archives_in_memory import tar_of
from flaky_server import Fault
from PIL import Image

from gem_lite.datasets import load_benchmark, load_distractors, released_network, sources
from gem_lite.datasets.archives import ArchiveError
from gem_lite.datasets.benchmark import benchmark_of
from gem_lite.datasets.download import origin
from gem_lite.datasets.fetch import MissingDataError, marker
from gem_lite.datasets.ground_truth import load_ground_truth
from gem_lite.datasets.sources import UnknownSourceError
from gem_lite.images import read_image
from gem_lite.safe_pickle import UnsafePickleError


def jpeg(shade, size=(6, 4)):
    buffer = io.BytesIO()
    Image.new("RGB", size, (shade % 256, 0, 0)).save(buffer, "jpeg")
    return buffer.getvalue()


OXFORD = [f"{place}_{number:06}" for place in ("all_souls", "ashmolean") for number in range(4)]
PARIS = [f"paris_{place}_{number:06}" for place in ("defense", "louvre") for number in range(4)]


def revisited(names):
    """The first of each place asks; the second is easy, the third hard, the fourth junk."""
    asked = [names[0], names[4]]
    imlist = [name for name in names if name not in asked]
    gnd = [
        {"easy": [3 * q], "hard": [3 * q + 1], "junk": [3 * q + 2], "bbx": [0.0, 0.0, 5.0, 3.0]}
        for q in (0, 1)
    ]
    return pickle.dumps({"imlist": imlist, "qimlist": asked, "gnd": gnd})


def classic(names):
    gnd = [{"ok": [4 * q, 4 * q + 1], "junk": [4 * q + 2], "bbx": [0, 0, 5, 3]} for q in (0, 1)]
    return pickle.dumps({"imlist": names, "qimlist": [names[0], names[4]], "gnd": gnd})


@pytest.fixture
def world(server, data, tmp_path, monkeypatch):
    """All that the real servers have, in miniature, under the paths of the real addresses."""
    shades = {name: jpeg(17 * number) for number, name in enumerate(OXFORD + PARIS)}
    server.add(
        "vgg/oxbuildings/oxbuild_images-v1.tgz", tar_of({f"{name}.jpg": shades[name] for name in OXFORD})
    )
    for number, place in enumerate(("defense", "louvre"), 1):
        inside = {f"paris/{place}/{name}.jpg": shades[name] for name in PARIS if place in name}
        server.add(f"vgg/parisbuildings/paris_{number}-v1.tgz", tar_of(inside))
    for name, names in (("oxford5k", OXFORD), ("paris6k", PARIS)):
        server.add(f"cmp/test/{name}/gnd_{name}.pkl", classic(names))
        server.add(f"revisitop/r{name}/gnd_r{name}.pkl", revisited(names))
    for number in range(1, 6):
        server.add(f"distractors/jpg/revisitop1m.{number}.tar.gz", tar_of({f"{number}/d.jpg": jpeg(number)}))
    listed = [f"{number}/d.jpg" for number in range(5, 0, -1)]
    server.add("distractors/revisitop1m.txt", "\n".join(listed).encode())
    table = tmp_path / "own.toml"
    bases = "\n".join(f'{b} = "{server.address}/{b}"' for b in ("vgg", "cmp", "revisitop", "distractors"))
    few = 'archives = ["{distractors}/jpg/revisitop1m.{1..5}.tar.gz"]'
    table.write_text(f"[bases]\n{bases}\n[revisitop1m]\n{few}\n")
    monkeypatch.setenv("GEM_LITE_SOURCES", str(table))
    return server, shades


def load(name, **options):
    return load_benchmark(name, progress=False, **options)


@pytest.mark.parametrize(("name", "names"), [("oxford5k", OXFORD), ("paris6k", PARIS)])
def test_classic_sets(world, data, name, names):
    _, shades = world
    found = load(name)
    assert found.names == names
    assert [path.read_bytes() for path in found.images] == [shades[each] for each in names]
    assert found.images[0] == data / "test" / name / "jpg" / f"{names[0]}.jpg"
    assert found.query_rows.tolist() == [0, 4]
    assert found.protocols == ("classic",)
    assert found.boxes == [[0, 0, 5, 3]] * 2


def test_revisited_sets_share_the_pictures_of_the_classic_ones(world):
    server, shades = world
    found = load("rparis6k")
    load("paris6k")
    assert found.protocols == ("easy", "medium", "hard")
    assert found.query_rows.tolist() == [-1, -1], "a revisited query is not in its database"
    assert [path.read_bytes() for path in found.queries] == [shades[PARIS[0]], shades[PARIS[4]]]
    assert found.groups == ["paris_defense", "paris_louvre"]
    assert len([r for r in server.requests if r.path.endswith(".tgz")]) == 2


def test_a_million_distractors_come_last_and_in_the_order_of_their_list(world):
    found = load("roxford5k+1m")
    assert len(found.images) == 6 + 5
    assert found.images[6].parts[-2:] == ("5", "d.jpg")
    assert found.gnd == load("roxford5k").gnd
    assert found.name == "roxford5k+1m"
    assert found.notes == ()


def test_a_list_that_names_more_than_the_archives_hold_is_said(world):
    server, _ = world
    server.add("distractors/revisitop1m.txt", b"4/d.jpg\n4/lost.jpg\n2/d.jpg\n")
    with pytest.warns(UserWarning, match="1 of the 3 distractors of revisitop1m are not in its archives"):
        images, notes = load_distractors("revisitop1m", progress=False)
    assert [path.parts[-2] for path in images] == ["4", "2"]
    assert notes[0].startswith("1 of the 3")


def test_the_second_time_nothing_is_asked_of_the_server(world, data):
    server, _ = world
    load("paris6k")
    before = len(server.requests)
    assert load("paris6k", fetch=False).names == PARIS
    assert len(server.requests) == before
    left = [path.name for path in data.rglob("*") if path.suffix in (".tgz", ".part")]
    assert left == [], "archives are removed once they are unpacked"


def test_what_is_missing_is_not_fetched_unasked(world):
    with pytest.raises(
        MissingDataError, match=r"gnd_paris6k\.pkl is not there, and downloading was not asked"
    ):
        load("paris6k", fetch=False)
    server, _ = world
    assert server.requests == []


def test_an_archive_that_came_broken_is_fetched_again(world, data):
    """The server announced a length that was too short, and sent as much: a cut archive that looks whole."""
    server, _ = world
    path = "vgg/oxbuildings/oxbuild_images-v1.tgz"
    server.faults[path].append(Fault(length_off_by=-200))
    assert load("oxford5k").names == OXFORD
    assert server.ranges(path) == [None, None]
    assert marker(f"{server.address}/{path}", data / "test" / "oxford5k" / "jpg").exists()


def test_an_archive_that_stays_broken_is_never_believed(world, data):
    server, _ = world
    path = "vgg/oxbuildings/oxbuild_images-v1.tgz"
    server.always[path] = Fault(length_off_by=-200)
    with pytest.raises(ArchiveError, match=r"damaged or cut.*downloaded twice from http"):
        load("oxford5k")
    assert not marker(f"{server.address}/{path}", data / "test" / "oxford5k" / "jpg").exists()
    server.always.clear()
    assert load("oxford5k").names == OXFORD


def test_a_cut_between_the_archives_goes_on_with_the_second(world):
    server, _ = world
    server.always["vgg/parisbuildings/paris_2-v1.tgz"] = Fault(status=404)
    with pytest.raises(OSError, match="404"):
        load("paris6k")
    server.always.clear()
    assert load("paris6k").names == PARIS
    assert len(server.ranges("vgg/parisbuildings/paris_1-v1.tgz")) == 1


def test_a_hostile_ground_truth_is_refused_before_any_picture_comes(world):
    server, _ = world

    class Attack:
        def __reduce__(self):
            return print, ("was here",)

    server.add("cmp/test/oxford5k/gnd_oxford5k.pkl", pickle.dumps({"imlist": Attack()}))
    with pytest.raises(UnsafePickleError, match=r"gnd_oxford5k\.pkl: it asks for builtins\.print"):
        load("oxford5k")
    assert len(server.requests) == 1


def test_pictures_that_the_ground_truth_names_must_be_there(world, data):
    load("oxford5k")
    (data / "test" / "oxford5k" / "jpg" / f"{OXFORD[2]}.jpg").unlink()
    with pytest.raises(MissingDataError, match=f"1 of the 8 pictures of oxford5k .* first is .*{OXFORD[2]}"):
        load("oxford5k")


def test_an_archive_of_the_users_own_is_unpacked_and_kept(world, data):
    server, _ = world
    folder = data / "test" / "oxford5k"
    folder.mkdir(parents=True)
    own = folder / "oxbuild_images-v1.tgz"
    own.write_bytes(server.files["vgg/oxbuildings/oxbuild_images-v1.tgz"])
    assert load("oxford5k").names == OXFORD
    assert server.ranges("vgg/oxbuildings/oxbuild_images-v1.tgz") == []
    assert own.exists()
    assert origin(own).exists()


def own_table(tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return path


def test_a_folder_of_the_users_own_is_taken_as_it_is(world, data, tmp_path):
    server, shades = world
    (tmp_path / "mine").mkdir()
    for name in OXFORD:
        (tmp_path / "mine" / f"{name}.jpg").write_bytes(shades[name])
    (tmp_path / "gnd.pkl").write_bytes(revisited(OXFORD))
    table = own_table(
        tmp_path,
        f'[oxford5k]\nimages_dir = "{tmp_path}/mine"\n[roxford5k]\ntruth = "{tmp_path}/gnd.pkl"\n',
    )
    found = load("roxford5k", table=table)
    assert found.queries[0].parent == tmp_path / "mine"
    assert server.requests == []


def test_sets_without_an_address_say_what_to_do(world, data, tmp_path):
    for name in ("holidays", "oxford105k"):
        with pytest.raises(
            UnknownSourceError, match=r"no address .* is known\. If you have them, put them into"
        ):
            load(name)
    folder = data / "test" / "oxford100k" / "jpg"
    folder.mkdir(parents=True)
    (folder / "oxc1_000001.jpg").write_bytes(jpeg(5))
    assert load("oxford105k").images[-1].name == "oxc1_000001.jpg"
    assert load("paris106k").names[:8] == PARIS


def test_no_address_is_invented():
    known = sources()
    assert known["holidays"].archives == known["oxford100k"].archives == ()
    assert known["revisitop1m"].archives[99].endswith("/revisitop1m.100.tar.gz")
    text = " ".join(
        address for each in known.values() for address in (*each.archives, each.truth, each.pairs)
    )
    assert "{" not in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not toml", "is not readable TOML"),
        ("name = 1", "stands outside of a table"),
        ("[oxford5k]\narchive = 'x'", "unknown field 'archive'"),
        ("[mine]\narchives = ['{nowhere}/a.tgz']", r"the base 'nowhere', which \[bases\] lacks"),
    ],
)
def test_a_wrong_table_is_explained(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        sources(own_table(tmp_path, text))
    with pytest.raises(UnknownSourceError, match="unknown data set 'oxford'; known: oxford5k"):
        load("oxford")


def test_holidays_follows_from_its_names(data):
    folder = data / "test" / "holidays" / "jpg"
    folder.mkdir(parents=True)
    for number in (100000, 100001, 100002, 100100, 100101):
        (folder / f"{number}.jpg").write_bytes(jpeg(number))
    found = load("holidays")
    assert found.query_names == ["100000.jpg", "100100.jpg"]
    assert found.gnd == [{"ok": [1, 2], "junk": [0], "bbx": None}, {"ok": [4], "junk": [3], "bbx": None}]
    assert found.query_rows.tolist() == [0, 3]
    assert "as they are in the files" in found.notes[0]
    (folder / "100000.jpg").unlink()
    with pytest.raises(ValueError, match="lacks 100000, the query of the group of 100001"):
        load("holidays")
    (folder / "cat.jpg").write_bytes(jpeg(1))
    with pytest.raises(ValueError, match=r"'cat\.jpg' is no picture of Holidays"):
        load("holidays")


def test_holidays_upright_turns_what_the_table_of_rotations_says(data, tmp_path):
    """And not a pixel changes but its place, also where the file had an orientation of its own."""
    folder = data / "test" / "holidays" / "jpg"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    exif = Image.Exif()
    exif[0x0112] = 3
    for number in (100000, 100001, 100002):
        picture = Image.fromarray(rng.integers(0, 256, (16, 24, 3), dtype=np.uint8))
        picture.save(folder / f"{number}.jpg", exif=exif if number == 100002 else b"")
    (tmp_path / "turn.csv").write_text("image,degrees\n100001.jpg,90\n100002,-90\n")
    table = own_table(tmp_path, f'[holidays]\nrotations = "{tmp_path}/turn.csv"\n')
    for _ in range(2):
        found = load("holidays", table=table)
    assert found.notes == ("2 pictures of Holidays turned upright",)
    assert found.images[0] == found.queries[0] == folder / "100000.jpg"
    for row, turns in ((1, -1), (2, 1)):  # numpy turns counter-clockwise
        with Image.open(folder / found.names[row]) as stored:
            expected = np.rot90(np.asarray(stored.convert("RGB")), turns)
        np.testing.assert_array_equal(np.asarray(read_image(found.images[row])), expected)
    for line, message in (("100009.jpg,90", "names no picture"), ("100001.jpg,45", "only quarter turns")):
        (tmp_path / "turn.csv").write_text(line)
        with pytest.raises(ValueError, match=f"line 1: .*{message}"):
            load("holidays", table=table)


def test_released_networks_are_fetched_by_name(world, data):
    server, _ = world
    server.add("cmp/networks/gl18/gl18-tl-resnet50-gem-w-83fdc30.pth", b"weights")
    path = released_network("gl18-tl-resnet50-gem-w", progress=False)
    assert path == data / "networks" / "gl18-tl-resnet50-gem-w-83fdc30.pth"
    assert path.read_bytes() == b"weights"
    with pytest.raises(UnknownSourceError, match="no released network 'gl18'; known: retrievalSfM120k-vgg16"):
        released_network("gl18")


@pytest.mark.parametrize(("name", "old"), [("roxford5k", "oxford5k"), ("rparis6k", "paris6k")])
def test_the_real_ground_truths_with_pictures_of_their_names(test_data, tmp_path, name, old):
    """Every name of the real files finds its picture: the same tiny JPEG, thousands of times."""
    truth = load_ground_truth(test_data / "gnd" / f"gnd_{name}.pkl")
    one = tmp_path / "one.jpg"
    one.write_bytes(jpeg(1))
    folder = tmp_path / old
    folder.mkdir()
    for each in truth["imlist"] + truth["qimlist"]:
        (folder / f"{each}.jpg").hardlink_to(one)
    found = benchmark_of(name, folder, truth)
    assert (len(found.images), len(found.queries)) == ({"roxford5k": 4993, "rparis6k": 6322}[name], 70)
    assert set(found.query_rows.tolist()) == {-1}
    assert 10 < len(set(found.groups)) < 20, "several queries ask for the same landmark"
    shutil.rmtree(folder)
    with warnings.catch_warnings(), pytest.raises(MissingDataError, match=r"4993|6322"):
        benchmark_of(name, folder, truth)
