"""Parameters of a chapter: its own literals, the profile's, and what the command line overrides.

papermill only warns about a parameter that a notebook does not know, so that a typing mistake would
silently run the defaults. Here it is an error.
"""

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from .errors import BuildError

Parameters = dict[str, Any]


def literals(source: str) -> Parameters:
    """Names and values of a parameters cell, which holds nothing but ``name = literal`` lines.

    Raises:
        ValueError: for any other statement, with its line.
    """
    found: Parameters = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, value = node.targets[0], node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            target, value = node.target, node.value
        else:
            raise ValueError(f"line {node.lineno} is not of the form name = literal")
        if not isinstance(target, ast.Name):
            raise ValueError(f"line {node.lineno} sets something else than one name")
        try:
            found[target.id] = ast.literal_eval(value)
        except ValueError:
            raise ValueError(f"line {node.lineno}: {target.id} is computed, not a literal") from None
    return found


def profile_parameters(folder: Path, profile: str, seed: int | None) -> Parameters:
    """What every chapter is given: the content of the profile's file, with another seed if one is asked for.

    Raises:
        BuildError: when there is no such profile, with the known ones.
    """
    file = folder / f"{profile}.yml"
    if not file.is_file():
        known = ", ".join(sorted(path.stem for path in folder.glob("*.yml")))
        raise BuildError(f"no profile {profile!r} in {folder}; known: {known}")
    parameters: Parameters = yaml.safe_load(file.read_text(encoding="utf8"))
    return parameters if seed is None else {**parameters, "seed": seed}


def parse_overrides(texts: Iterable[str], chapters: Iterable[str]) -> dict[str, Parameters]:
    """``chapter:name=value`` texts as parameters by chapter; values are read as YAML.

    Raises:
        BuildError: for another form, or a chapter that is not in the table of contents.
    """
    overrides: dict[str, Parameters] = {name: {} for name in chapters}
    for text in texts:
        chapter, colon, assignment = text.partition(":")
        name, equals, value = assignment.partition("=")
        if not (colon and equals and name):
            raise BuildError(f"-p {text!r}: write chapter:name=value")
        if chapter not in overrides:
            raise BuildError(f"-p {text!r}: no chapter {chapter!r}; known: {', '.join(overrides)}")
        overrides[chapter][name] = yaml.safe_load(value)
    return overrides


def merged(chapter: str, own: Mapping[str, Any], given: Mapping[str, Any]) -> Parameters:
    """The chapter's own parameters with those given to it.

    Raises:
        BuildError: for a given parameter that the chapter does not have, with those that it has.
    """
    unknown = sorted(set(given) - set(own))
    if unknown:
        raise BuildError(
            f"{chapter} has no parameter {', '.join(unknown)}; its parameters cell has: {', '.join(own)}"
        )
    return {**own, **given}
