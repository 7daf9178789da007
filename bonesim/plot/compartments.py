"""What the figure of exposure shows: groups of doses with vesicles in each compartment, and the line of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np

from bonesim.plot.doses import DoseMarks, dose_marks
from bonesim.plot.style import BLACK, BLUE, DASHED, GREEN, ORANGE, PURPLE, SKY, SOLID, VERMILION, LineStyle
from bonesim.results.dataset import days_of, quantities

if TYPE_CHECKING:
    import xarray as xr

DECADES = 5
"""How far below the largest value the axis reaches: a part in 100000 of a dose is not there for any reader."""

LABELLED = 6
"""Compartments with a colour and a label of their own; the smaller ones are grey and share a label."""

QUICK = 4.0
"""Fall from one recorded value to the next, usually, above which the record can not follow a compartment."""

SAME = 1e-3
"""Part of its largest value by which a compartment may differ between arms that are shown as one."""

OWN_STYLES = {
    "bone": LineStyle(BLUE, SOLID),
    "cells": LineStyle(PURPLE, SOLID),
    "central": LineStyle(VERMILION, SOLID),
    "depot": LineStyle(VERMILION, SOLID),
    "peripheral": LineStyle(ORANGE, SOLID),
    "liver": LineStyle(GREEN, SOLID),
    "elsewhere": LineStyle(BLACK, DASHED),
}
"""Last word of a variable -> its line in every figure, whatever the route."""

TARGETS = ("bone", "cells")
"""Last words of the variables whose lines stand out: what is there can act, or has been taken up to act."""

COLOURS = (SKY, GREEN, ORANGE, VERMILION)
"""For other compartments that are labelled, in their order."""


@dataclass(frozen=True)
class Compartment:
    """Vesicles in one place: `label` in words, `symbol` in its module, `values` (time,), `early` (early_time,)."""

    label: str
    symbol: str
    values: np.ndarray
    early: np.ndarray

    @property
    def only_rises(self) -> bool:
        """Whether it adds up what got there and never gives any back."""
        known = self.values[np.isfinite(self.values)]
        return bool(known.size and known[-1] > 0 and (np.diff(known) >= -1e-9 * self.peak).all())

    @property
    def peak(self) -> float:
        """The largest value that is known."""
        return float(max(np.nanmax(self.values, initial=0.0), np.nanmax(self.early, initial=0.0)))

    @property
    def early_peak(self) -> float:
        """The largest value of the first hours, which does not grow with the number of doses; else of all."""
        return float(np.nanmax(self.early, initial=0.0)) or self.peak

    @property
    def outruns_record(self) -> bool:
        """Whether vesicles leave so soon that recorded values say nothing of those between: peaks would be missing."""
        seen = self.values[:-1] > 10.0**-DECADES * self.peak
        before, after = self.values[:-1][seen], np.maximum(self.values[1:][seen], 1e-30 * self.peak)
        falls = before / after
        falls = falls[falls > 1.0 + 1e-6]
        return bool(falls.size and np.median(falls) > QUICK)


@dataclass(frozen=True)
class Exposure:
    """One group of doses: vesicles in each compartment.

    group : what and by which route
    arms : those that have these courses
    unit : of the values
    days, early_days : (time,) and (early_time,) times, days
    compartments : in the order of their module
    marks : the doses of the group
    """

    group: str
    arms: tuple[str, ...]
    unit: str
    days: np.ndarray
    early_days: np.ndarray
    compartments: tuple[Compartment, ...]
    marks: tuple[DoseMarks, ...]

    def equals(self, other: Exposure) -> bool:
        """Whether two arms have the vesicles of one group at the same places, to what a reader can see."""
        return self.group == other.group and all(
            np.allclose(mine.values, theirs.values, rtol=SAME, atol=SAME * mine.peak, equal_nan=True)
            for mine, theirs in zip(self.compartments, other.compartments, strict=True)
        )

    @property
    def has_early(self) -> bool:
        """Whether something of this group is seen in the first two days after the first dose of all."""
        return any(bool((place.early > 0).any()) for place in self.compartments)

    @property
    def limits(self) -> tuple[float, float]:
        """Bottom (a power of ten) and top of the axis."""
        first = max((place.early_peak for place in self.compartments), default=0.0) or 1.0
        largest = max((place.peak for place in self.compartments), default=0.0) or 1.0
        return float(10.0 ** (np.floor(np.log10(first)) - DECADES)), 2.5 * largest

    @property
    def styles(self) -> dict[str, LineStyle]:
        """Label -> line of the compartments that are labelled: those in bone, and the largest others."""
        others = sorted(
            (place for place in self.compartments if place.symbol not in TARGETS),
            key=lambda place: place.early_peak,
            reverse=True,
        )
        room = LABELLED - (len(self.compartments) - len(others))
        minor = {place.label for place in others[room:]}
        colours = cycle(COLOURS)
        return {
            place.label: OWN_STYLES.get(place.symbol) or LineStyle(next(colours), SOLID)
            for place in self.compartments
            if place.label not in minor
        }


def exposure_groups(dataset: xr.Dataset) -> dict[str, list[str]]:
    """Group of doses -> the exposure variables of its compartments."""
    groups: dict[str, list[str]] = {}
    for name in (name for name in quantities(dataset) if "compartment" in dataset[name].attrs):
        groups.setdefault(dataset[name].attrs.get("group", ""), []).append(name)
    return groups


def exposures_of(dataset: xr.Dataset, arms: Sequence[str]) -> list[Exposure]:
    """Every group of doses that the arms have, once for all arms in which its vesicles are at the same places."""
    found: list[Exposure] = []
    for arm in arms:
        for one in _of_arm(dataset.sel(arm=arm), arm, dose_marks(dataset, arm)):
            same = next((place for place, other in enumerate(found) if one.equals(other)), None)
            if same is None:
                found.append(one)
            else:
                found[same] = replace(found[same], arms=(*found[same].arms, arm))
    return found


def _of_arm(dataset: xr.Dataset, arm: str, marks: Sequence[DoseMarks]) -> Iterator[Exposure]:
    for group, names in exposure_groups(dataset).items():
        if all(np.isnan(dataset[name].values).all() for name in names):
            continue
        yield Exposure(
            group=group,
            arms=(arm,),
            unit=dataset[names[0]].attrs["units"],
            days=days_of(dataset),
            early_days=days_of(dataset, "early_time") if "early_time" in dataset.coords else np.empty(0),
            compartments=tuple(_compartment(dataset, name) for name in names),
            marks=tuple(row for row in marks if row.group in ("", group)),
        )


def _compartment(dataset: xr.Dataset, name: str) -> Compartment:
    early = dataset.get(f"{name}_early")
    return Compartment(
        label=dataset[name].attrs["compartment"],
        symbol=name.rpartition(".")[2],
        values=np.asarray(dataset[name].values),
        early=np.empty(0) if early is None else np.asarray(early.values),
    )
