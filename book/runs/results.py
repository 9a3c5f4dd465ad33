"""What a sweep's runs have reported, and which of it moves."""

import fnmatch
import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from book.builder.errors import BuildError
from book.builder.parameters import Parameters
from gem_lite.report import Record

from .executing import Outcome
from .places import shown

Setting = tuple[Any, ...]


@dataclass(frozen=True)
class Sweep:
    """Outcomes over a grid. ``swept`` names the parameters of the grid, ``seed`` among them or not."""

    swept: tuple[str, ...]
    outcomes: tuple[Outcome, ...]

    @property
    def done(self) -> list[Outcome]:
        """The runs that went well."""
        return [outcome for outcome in self.outcomes if not outcome.failure]

    @property
    def axis(self) -> str:
        """The parameter that a plot has on its horizontal axis: the first one that is not the seed."""
        return next((name for name in self.swept if name != "seed"), "seed")

    @property
    def lines(self) -> tuple[str, ...]:
        """The parameters that tell the lines of a plot apart: neither axis nor seed."""
        return tuple(name for name in self.swept if name not in (self.axis, "seed"))

    @property
    def columns(self) -> tuple[str, ...]:
        """The parameters that tell the columns of the table apart: the seed only if it is alone."""
        return (self.axis, *self.lines)

    def by(self, names: Sequence[str], outcomes: Sequence[Outcome]) -> dict[Setting, list[Outcome]]:
        """Outcomes that share the values of these parameters, in the order of the grid."""
        groups: dict[Setting, list[Outcome]] = defaultdict(list)
        for outcome in outcomes:
            groups[tuple(_hashable(outcome.parameters[name]) for name in names)].append(outcome)
        return dict(groups)

    def record(self, name: str) -> Record:
        """The result as the first run that has it reported it: for its unit and how it was measured."""
        return next(o.reports[name] for o in self.done if name in o.reports)

    def values(self, name: str, outcomes: Sequence[Outcome]) -> list[Any]:
        """A result in these runs, without those that do not report it."""
        return [o.reports[name].value for o in outcomes if name in o.reports]

    @property
    def names(self) -> list[str]:
        """Every reported name, in order; swept parameters that are reported, too, are left out."""
        found = itertools.chain.from_iterable(outcome.reports for outcome in self.done)
        return [name for name in dict.fromkeys(found) if name not in self.swept]

    def moving(self) -> list[str]:
        """Results that are not the same in all runs."""
        return [name for name in self.names if len(set(self.values(name, self.done))) > 1]

    def moved_by_axis(self, name: str) -> bool:
        """Whether a result changes along the axis while everything else, the seed too, stays as it is."""
        others = [parameter for parameter in self.swept if parameter != self.axis]
        groups = self.by(others, self.done).values()
        return any(len(set(self.values(name, group))) > 1 for group in groups)

    def chosen(self, patterns: Sequence[str]) -> list[str]:
        """The results that are numbers and fit one of the patterns; without patterns those worth a look.

        Those are what the axis moves, and first of them what says which direction is better.

        Raises:
            BuildError: for a pattern that fits nothing, with the names that there are.
        """
        numbers = [name for name in self.names if _are_numbers(self.values(name, self.done))]
        for pattern in patterns:
            if not fnmatch.filter(numbers, pattern):
                known = ", ".join(numbers)
                raise BuildError(f"no result fits {pattern!r}; results that are numbers: {known}")
        if patterns:
            return [name for name in numbers if any(fnmatch.fnmatch(name, pattern) for pattern in patterns)]
        moved = [name for name in numbers if self.moved_by_axis(name)]
        return sorted(moved, key=lambda name: self.record(name).higher_is_better is None)


def mean_and_spread(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean, and the standard deviation (n - 1) where there is more than one value."""
    return float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else None


def setting_text(names: Sequence[str], parameters: Parameters) -> str:
    """For example ``p = 3, pooling = mac``."""
    return ", ".join(f"{name} = {shown(parameters[name])}" for name in names)


def _are_numbers(values: Sequence[Any]) -> bool:
    return bool(values) and all(isinstance(value, int | float) for value in values)


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
