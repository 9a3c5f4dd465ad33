"""``name=value`` texts, checked against the parameters cell of the chapter that they are for."""

import difflib
import math
from collections.abc import Sequence
from typing import Any

import yaml

from book.builder.chapters import Chapter
from book.builder.errors import BuildError
from book.builder.parameters import Parameters

Problems = list[str]


def type_name(default: Any) -> str:
    """How a message calls the type of a parameter.

    >>> type_name([0.5, 1.0]), type_name(3)
    ('list of float', 'int')
    """
    if isinstance(default, list):
        return f"list of {type_name(default[0])}" if default else "list"
    return type(default).__name__


def read_value(text: str, default: Any) -> Any:
    """The text as a value of the type of the parameter's default.

    Raises:
        ValueError: where it is of another type; the message says which it is.

    >>> read_value("5", 3.0), read_value("true", False), read_value("[1, 2]", [0.5])
    (5.0, True, [1.0, 2.0])
    """
    if isinstance(default, str):
        return text
    value = yaml.safe_load(text) if isinstance(default, bool | list) else text
    try:
        return _converted(value, default)
    except (TypeError, ValueError):
        hint = {bool: ": true or false", list: ": [a, b]"}.get(type(default), "")
        raise ValueError(f"is not of the type {type_name(default)}{hint}") from None


def _converted(value: Any, default: Any) -> Any:
    if isinstance(default, list):
        if not isinstance(value, list):
            raise TypeError
        return [_converted(item, default[0]) for item in value] if default else value
    if isinstance(default, bool) or isinstance(value, bool):
        if type(value) is not type(default):
            raise TypeError
        return value
    if isinstance(default, int) and isinstance(value, float):
        raise TypeError
    if isinstance(default, str) and not isinstance(value, str):
        raise TypeError
    converted = type(default)(value)
    if isinstance(converted, float) and math.isnan(converted):
        raise ValueError
    return converted


def read_parameters(chapter: Chapter, texts: Sequence[str]) -> Parameters:
    """The values that ``name=value`` texts give to a chapter's parameters.

    Raises:
        BuildError: for a name that the chapter does not have or a value of another type; the message names
            all that is wrong and lists the parameters with their types.
    """
    found: Parameters = {}
    problems: Problems = []
    for text in texts:
        name, value = split_assignment(text, chapter, problems, set(found))
        if name is not None:
            try:
                found[name] = read_value(value, chapter.parameters[name])
            except ValueError as error:
                problems.append(f"{name}={value} {error}")
    refuse(chapter, problems)
    return found


def split_assignment(
    text: str, chapter: Chapter, problems: Problems, seen: set[str]
) -> tuple[str | None, str]:
    """Name and text of the value; None, and one more problem, where the chapter has no such parameter."""
    name, equals, value = text.partition("=")
    known = chapter.parameters
    if not equals or not name or not value:
        problems.append(f"{text!r} is not of the form name=value")
    elif name not in known:
        near = difflib.get_close_matches(name.lower(), known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        problems.append(f"{name}={value}: the chapter has no parameter {name}{hint}")
    elif name in seen:
        problems.append(f"{name} is given twice")
    else:
        return name, value
    return None, ""


def refuse(chapter: Chapter, problems: Problems) -> None:
    """Raises BuildError with all problems and the chapter's parameters; nothing where there is no problem."""
    if not problems:
        return
    rows = [(name, type_name(value), repr(value)) for name, value in chapter.parameters.items()]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    lines = [f"  {name:<{widths[0]}}  {kind:<{widths[1]}}  {value}" for name, kind, value in rows]
    raise BuildError(
        "\n".join([*problems, "", f"The parameters of {chapter.name}, with type and default:", *lines])
    )
