"""A case of the suite as it lies in its folder, and the rule by which an answer is judged.

NNNNN-settings.txt   start, duration, steps, variables, tolerances, which variables are amounts or concentrations
NNNNN-model.m        what the case is about (`componentTags`, `testTags`) and its kind (`testType`)
NNNNN-results.csv    the reference: time and the variables
NNNNN-sbml-lXvY.xml  the model in each level and version that can say it
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

NO_TIME_COURSE = "FluxBalanceSteadyState"
"""The type of cases that ask for an optimal flux, not for a time course."""

_MODEL = re.compile(r"\d+-sbml-(l\d+v\d+)\.xml")


@dataclass(frozen=True)
class Settings:
    """What is asked of a simulator.

    amounts, concentrations : those of `names` that are meant so, whatever their symbols mean in the model
    """

    start: float
    duration: float
    steps: int
    names: tuple[str, ...]
    absolute: float
    relative: float
    amounts: frozenset[str]
    concentrations: frozenset[str]

    @classmethod
    def parse(cls, text: str) -> Settings:
        """The settings that a text of lines `key: value` gives; lists are divided by commas."""
        found = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in text.splitlines())}
        return cls(
            start=float(found["start"]),
            duration=float(found["duration"]),
            steps=int(found["steps"]),
            names=_listed(found["variables"]),
            absolute=float(found["absolute"]),
            relative=float(found["relative"]),
            amounts=frozenset(_listed(found["amount"])),
            concentrations=frozenset(_listed(found["concentration"])),
        )

    @property
    def times(self) -> np.ndarray:
        """(time,) output times."""
        return np.linspace(self.start, self.start + self.duration, self.steps + 1)

    def differing(self, values: np.ndarray, reference: np.ndarray) -> str:
        """Where |x - reference| <= absolute + relative |reference| fails worst, in words; empty where nowhere.

        Both are (time, name). What the reference has as no number or as infinite must be the same.
        """
        with np.errstate(invalid="ignore"):  # infinite less infinite
            excess = np.abs(values - reference) - (self.absolute + self.relative * np.abs(reference))
        same = (values == reference) | (np.isnan(values) & np.isnan(reference))
        excess = np.where(same, -np.inf, np.where(np.isfinite(excess), excess, np.inf))
        if (excess <= 0).all():
            return ""
        row, column = np.unravel_index(np.argmax(excess), excess.shape)
        return (
            f"{self.names[column]} is {values[row, column]:.9g} where {reference[row, column]:.9g} is expected, "
            f"at time {self.times[row]:g}"
        )


@dataclass(frozen=True)
class Case:
    """One model file of a case, in one level and version.

    tags : its component and test tags
    """

    id: str
    level: str
    folder: Path
    tags: frozenset[str]

    @property
    def name(self) -> str:
        """Case and level: `00001 l3v2`."""
        return f"{self.id} {self.level}"

    @property
    def model(self) -> Path:
        """The model file."""
        return self.folder / f"{self.id}-sbml-{self.level}.xml"

    def settings(self) -> Settings:
        """What is asked."""
        return Settings.parse((self.folder / f"{self.id}-settings.txt").read_text())

    def reference(self, names: Sequence[str]) -> np.ndarray:
        """(time, name) expected values, whatever the order of the columns after the first, which is time."""
        head, *lines = (self.folder / f"{self.id}-results.csv").read_text().strip().splitlines()
        columns = _listed(head)[1:]  # a symbol of the model may be called time, too
        values = np.array([[float(value) for value in line.split(",")[1:]] for line in lines])
        return values[:, [columns.index(name) for name in names]]


KINDS = ("plain", "events", "algebraic", "delay", "fast", "comp", "other package")


def kinds(tags: Collection[str]) -> set[str]:
    """What a case needs beyond equations of rates, some of `KINDS`; `plain` if nothing."""
    packages = {tag.partition(":")[0] for tag in tags if ":" in tag}
    needed = {
        "events": not {"EventNoDelay", "EventWithDelay"}.isdisjoint(tags),
        "algebraic": "AlgebraicRule" in tags,
        "delay": "CSymbolDelay" in tags,
        "fast": "FastReaction" in tags,
        "comp": "comp" in packages,
        "other package": bool(packages - {"comp"}),
    }
    return {kind for kind, needs in needed.items() if needs} or {"plain"}


def found(folder: Path, *, only: Collection[str], tag: str, every: bool) -> tuple[list[Case], int]:
    """The cases of the suite's folder, and how many were left out that ask for no time course.

    only : numbers of cases; all if none
    tag : one that a case must have, if not empty
    every : each level and version, not the latest alone
    """
    cases: list[Case] = []
    left_out = 0
    for each in sorted(path for path in folder.iterdir() if path.is_dir()):
        if only and each.name not in only:
            continue
        about = (each / f"{each.name}-model.m").read_text(encoding="utf-8", errors="replace")
        tags = frozenset(_said(about, "componentTags") | _said(about, "testTags"))
        if tag and tag not in tags:
            continue
        if NO_TIME_COURSE in _said(about, "testType"):
            left_out += 1
            continue
        levels = sorted(_levels(each))
        cases += [Case(each.name, level, each, tags) for level in (levels if every else levels[-1:])]
    return cases, left_out


def _levels(folder: Path) -> Iterator[str]:
    for path in folder.iterdir():
        if match := _MODEL.fullmatch(path.name):
            yield match[1]


def _said(about: str, key: str) -> set[str]:
    """The list behind `key:` in the head of a description."""
    match = re.search(rf"^{key}:(.*)$", about, re.MULTILINE)
    return set(_listed(match[1])) if match else set()


def _listed(text: str) -> tuple[str, ...]:
    return tuple(name for name in (part.strip() for part in text.split(",")) if name)
