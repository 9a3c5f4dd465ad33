"""Where a chapter is executed: with the profile of the build, or on Toytown where it knows nothing else.

A profile that `gem_lite.profiles` does not list, as ``paper``, is one of real data. A chapter whose metadata
say ``"real_data": true`` is executed with it. The others ask for what only a rendered world knows, such as
masks or 3D points: they are those of the profile ``lite``, and their pages say so.
"""

from typing import Any

from gem_lite.profiles import PROFILES

from .chapters import Chapter
from .paths import Paths

ON_TOYTOWN = "lite"
TOWN_NOTE = """

:::{{admonition}} On Toytown
These pages were built with the profile `{profile}`, on real photographs. This chapter asks for what only a
rendered world knows, so it was executed on Toytown, with the profile `{town}`. The main questions of pooling,
mining and training are asked of the photographs in an appendix, *The first chapters on other pictures*.
:::"""
REAL_NOTE = """

:::{{admonition}} On photographs
This chapter was executed on real photographs, with the profile `{profile}`. Its prose was written for Toytown
and the profile `{town}`: where numbers and prose disagree, believe the numbers.
:::"""


def home(chapter: Chapter, paths: Paths) -> Paths:
    """The profile that a chapter is executed with in a build of another, and where its execution is kept."""
    if paths.profile in PROFILES or chapter.real_data:
        return paths
    return Paths(paths.root, ON_TOYTOWN, paths.folder)


def with_note(notebook: Any, chapter: Chapter, paths: Paths) -> Any:
    """The notebook with a note below its title that says what it was executed on, where that may mislead."""
    if paths.profile not in PROFILES:
        note = REAL_NOTE if chapter.real_data else TOWN_NOTE
        # No cell of its own: complaints about the pages count cells.
        notebook.cells[0].source += note.format(profile=paths.profile, town=ON_TOYTOWN)
    return notebook
