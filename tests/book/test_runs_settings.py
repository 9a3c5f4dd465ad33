"""Parameters and grids from the command line: typed by the chapter's own cell, and refused in words."""

from typing import Any

import pytest
from minibook import ROOT, MiniBook

from book.builder.chapters import Chapter
from book.builder.errors import BuildError
from book.runs.__main__ import _arguments
from book.runs.grid import read_grid, settings_of
from book.runs.places import run_name
from book.runs.typed import read_parameters

CELL = 'profile = "lite"\nseed = 0\np = 3.0\nenlarge = False\nsizes = [0.5, 1.5]\nfolder = ""'


@pytest.fixture
def chapter(mini: MiniBook) -> Chapter:
    mini.chapter("01_a", "print(p)", parameters=CELL)
    return Chapter(mini.book / "01_a.ipynb")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("p=5", 5.0),
        ("p=inf", float("inf")),
        ("seed=2", 2),
        ("enlarge=true", True),
        ("sizes=[1, 2]", [1.0, 2.0]),
        ("folder=~/my photos", "~/my photos"),
        ("folder=a=b", "a=b"),
    ],
)
def test_values_take_the_type_of_the_default(chapter: Chapter, text: str, value: Any) -> None:
    (found,) = read_parameters(chapter, [text]).values()
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("p=five", "p=five is not of the type float"),
        ("p=nan", "p=nan is not of the type float"),
        ("p=true", "p=true is not of the type float"),
        ("seed=2.5", "seed=2.5 is not of the type int"),
        ("enlarge=1", "enlarge=1 is not of the type bool: true or false"),
        ("sizes=1", r"sizes=1 is not of the type list of float: \[a, b\]"),
        ("sizes=[a]", "is not of the type list of float"),
        ("sede=2", "the chapter has no parameter sede; did you mean seed?"),
        ("P=5", "has no parameter P; did you mean p?"),
        ("p", "'p' is not of the form name=value"),
        ("p=", "is not of the form name=value"),
    ],
)
def test_anything_else_is_refused_with_what_there_is(chapter: Chapter, text: str, complaint: str) -> None:
    with pytest.raises(BuildError, match=complaint) as refused:
        read_parameters(chapter, [text])
    listing = str(refused.value).partition("The parameters of 01_a, with type and default:")[2]
    assert [line.split() for line in listing.splitlines()[1:4]] == [
        ["profile", "str", "'lite'"],
        ["seed", "int", "0"],
        ["p", "float", "3.0"],
    ]
    assert "list of float  [0.5, 1.5]" in listing


def test_all_that_is_wrong_is_said_at_once(chapter: Chapter) -> None:
    with pytest.raises(BuildError) as refused:
        read_parameters(chapter, ["seed=a", "p=1", "p=2", "x=1"])
    for complaint in ("seed=a is not", "p is given twice", "no parameter x"):
        assert complaint in str(refused.value)


def test_a_grid_is_every_combination(chapter: Chapter) -> None:
    grid = read_grid(chapter, ["p=1,2.5,1", "seed=0..2"])
    assert grid == {"p": [1.0, 2.5], "seed": [0, 1, 2]}
    assert len(settings_of(grid)) == 6
    assert settings_of(grid)[:2] == [{"p": 1.0, "seed": 0}, {"p": 1.0, "seed": 1}]


def test_a_grid_of_lists_and_texts(chapter: Chapter) -> None:
    grid = read_grid(chapter, ["sizes=[1,2],[3]", "folder=a..b,c"])
    assert grid == {"sizes": [[1.0, 2.0], [3.0]], "folder": ["a..b", "c"]}


@pytest.mark.parametrize(
    ("texts", "complaint"),
    [
        ([], "the grid is empty"),
        (["seed=4..0"], "seed=4..0 is an empty range"),
        (["seed=0,,1"], "seed= is not of the type int"),
        (["k=1,2"], "has no parameter k"),
        (["p=1,x,y"], "p=y is not of the type float"),
    ],
)
def test_a_wrong_grid_is_refused(chapter: Chapter, texts: list[str], complaint: str) -> None:
    with pytest.raises(BuildError, match=complaint):
        read_grid(chapter, texts)


def test_the_command_line_takes_one_text_or_many() -> None:
    line = ["sweep", "01_a", "--profile", "tiny"]
    expected = ["p=1,2", "sizes=[1,2]", "folder=my photos"]
    for words in (["p=1,2 sizes=[1, 2] folder='my photos'"], ["p=1,2", "sizes=[1, 2]", "folder='my photos'"]):
        assert _arguments([*line, *words]).settings == expected


def test_a_run_has_one_name_that_says_what_differs(chapter: Chapter) -> None:
    own = chapter.parameters
    assert run_name(chapter, {**own, "profile": "tiny", "seed": 2}) == "tiny_seed=2"
    assert run_name(chapter, {**own, "p": 5.0, "enlarge": True}) == "lite_seed=0_enlarge=True_p=5"
    names = {run_name(chapter, {**own, "folder": folder}) for folder in ("/a b", "/a/b", "a", "x" * 200)}
    assert len(names) == 4
    assert all("/" not in name and len(name) < 100 for name in names)


def test_the_book_has_a_chapter_to_sweep() -> None:
    pooling = Chapter(ROOT / "book" / "03_pooling.ipynb")
    assert read_parameters(pooling, ["p=5", "seed=2"]) == {"p": 5.0, "seed": 2}
