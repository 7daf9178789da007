"""Marks above an axis that say when doses were given: a triangle for a bolus, a bar for an infusion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.transforms import ScaledTranslation

from bonesim.plot.style import BLACK, GREEN, PURPLE, VERMILION
from bonesim.results.dataset import quantities, structure

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

COLOURS = (BLACK, VERMILION, GREEN, PURPLE)

UNTREATED = "untreated"
"""What the arms of a scenario without doses are called together."""

ROW = 9.0
"""Height of a row of marks, points."""

CROWDED = 0.02
"""Marks nearer than this, as a part of the axis, are drawn as ticks, which do not run into each other."""


@dataclass(frozen=True)
class DoseMarks:
    """When one dose was given.

    Parameters
    ----------
    label
        What was given, for the legend.
    times_day
        When each administration begins, days.
    over_day
        How long each lasts, days; 0 for a bolus.
    group
        Which exposure it belongs to; empty where that is not known.
    """

    label: str
    times_day: tuple[float, ...]
    over_day: float
    group: str = ""


def dose_marks(dataset: xr.Dataset, arm: str | None = None) -> list[DoseMarks]:
    """The marks that a result carries in its attribute `doses`, of one arm or all; a dose without a time has none."""
    rows = [row for row in structure(dataset, "doses", []) if arm is None or arm in row.get("arms", [arm])]
    marks = [
        DoseMarks(row["label"], tuple(row["times_day"]), float(row.get("over_day", 0.0)), row.get("group", ""))
        for row in rows
    ]
    return [row for row in marks if row.times_day]


def told_apart(dataset: xr.Dataset) -> xr.Dataset:
    """The dataset as figures draw it: without a dose, arms that do not differ are one, called `untreated`."""
    if dose_marks(dataset) or dataset.sizes["arm"] < 2:
        return dataset
    rows = (dataset[name].transpose("arm", ...).values for name in quantities(dataset))
    if not all(np.array_equal(one, other, equal_nan=True) for one, *others in rows for other in others):
        return dataset
    return dataset.isel(arm=[0]).assign_coords(arm=np.array([UNTREATED], dtype=object))


def draw_dose_marks(axes: Axes, marks: Sequence[DoseMarks], days: float) -> list[Artist]:
    """Draw one row above `axes` for each dose, and lift its title; returns handles for a legend.

    `days` is the unit of the time axis, whose limits are set already.
    """
    if marks and (title := axes.get_title(loc="left")):
        axes.set_title(title, loc="left", pad=ROW * len(marks) + 6.0)
    return [_draw_row(axes, row, days, COLOURS[k % len(COLOURS)], k) for k, row in enumerate(marks)]


def _draw_row(axes: Axes, marks: DoseMarks, days: float, colour: str, row: int) -> Artist:
    figure = axes.get_figure(root=True)
    assert figure is not None
    lifted = axes.get_xaxis_transform() + ScaledTranslation(0.0, ROW * (row + 0.6) / 72, figure.dpi_scale_trans)
    begins = [time / days for time in marks.times_day]
    for begin in begins if marks.over_day else ():
        ends = [begin, begin + marks.over_day / days]
        axes.plot(ends, [1.0, 1.0], linewidth=2.0, color=colour, transform=lifted, clip_on=False)
    crowded = _crowded(begins, axes.get_xlim())
    return axes.plot(
        begins,
        [1.0] * len(begins),
        linestyle="none",
        marker="|" if crowded else "v",
        markersize=5,
        color=colour,
        markeredgewidth=0.5 if crowded else 0.8,
        transform=lifted,
        clip_on=False,
        label=marks.label,
    )[0]


def _crowded(begins: Sequence[float], limits: tuple[float, float]) -> bool:
    nearest = min((later - begin for begin, later in pairwise(begins)), default=limits[1] - limits[0])
    return nearest < CROWDED * (limits[1] - limits[0])
