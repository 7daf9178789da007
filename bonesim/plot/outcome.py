"""Bone volume over time: what was given against what was not."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from bonesim.errors import InputError, closest
from bonesim.plot.course import (
    Difference,
    against_vehicle,
    band_handles,
    differ,
    draw_course,
    draw_differences,
    draw_points,
)
from bonesim.plot.doses import dose_marks, draw_dose_marks, told_apart
from bonesim.plot.style import (
    BLACK,
    GREY,
    RC,
    TimeAxis,
    arm_styles,
    label_ends,
    label_of,
    legend_below,
    new_figure,
    set_time_axis,
    styled,
    time_axis,
)
from bonesim.results.arms import vehicle_of
from bonesim.results.dataset import days_of, largest_difference, quantities, structure
from bonesim.results.members import has_draws, stated
from bonesim.scenario.problem import VEHICLE

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DIMENSIONLESS = ("dimensionless", "1")

SEEN = 0.05
"""Difference in percent below which two lines are one for any reader."""

ROOM = 0.25
"""Part of an axis that the note at the largest difference needs beside or below its place."""


def bone_volume_name(dataset: xr.Dataset) -> str | None:
    """The first quantity of bone volume that a result has."""
    names = quantities(dataset)
    return next((name for name in names if name.rpartition(".")[2].startswith("bone_volume")), None)


def plot_bone_volume(dataset: xr.Dataset, name: str | None = None) -> Figure:
    """Bone volume of every arm over time, with the doses above and the difference to the vehicle.

    The axis begins at 0 and a thin line says where the course began. The difference is written at the end and, where
    one arm was treated, at the time when it is largest. A fraction is shown in percent; differences are relative.
    Where more arms were treated, and with draws, a second panel has the differences over time.

    With draws, lines are the stated values and a band holds 90 % of the draws; of many arms, those of two have one in
    the first panel, and all in the second, where each draw is held against its own vehicle. Measured values are points.

    Parameters
    ----------
    dataset
        Result of a scenario, dimensions `(arm, time)` or `(arm, member, time)`.
    name
        Which quantity; the first of bone volume where it is left out.

    Raises
    ------
    InputError
        If the result has no such quantity.
    """
    name = name or bone_volume_name(dataset)
    if name is None or name not in dataset:
        known = quantities(dataset)
        remedy = closest(name, known) if name else "add 'bone_volume_fraction' to the outputs"
        raise InputError(f"the result has no {name or 'bone volume'}", remedy=remedy)
    dataset = told_apart(dataset)
    difference = partial(against_vehicle, name)
    with styled():
        title = dataset.attrs.get("title", "")
        if _apart(dataset, difference):
            figure = new_figure(5.2, title)
            axes, below = figure.subplots(2, sharex=True, height_ratios=[1.7, 1.0])
            draw_differences(below, dataset, difference)
            below.set_ylabel("against\nvehicle (%)")
            _draw(axes, dataset, name, below)
        else:
            figure = new_figure(3.6, title)
            axes = figure.add_subplot()
            _draw(axes, dataset, name, axes)
    return figure


def _apart(dataset: xr.Dataset, difference: Difference) -> bool:
    """Whether differences to the vehicle have a panel: there are some, and one note on a line would not tell them."""
    treated = sum(str(arm) != VEHICLE for arm in dataset["arm"].values)
    return (treated > 1 or has_draws(dataset)) and differ(dataset, difference, SEEN)


def _draw(axes: Axes, dataset: xr.Dataset, name: str, lowest: Axes) -> None:
    days = days_of(dataset)
    axis = time_axis(float(days[-1] - days[0]))
    variable = stated(dataset)[name]
    scale, unit = shown_unit(name, variable.attrs["units"])
    arms = [str(arm) for arm in dataset["arm"].values]
    against = vehicle_of(stated(dataset), name)
    values = {arm: scale * variable.sel(arm=arm).values for arm in arms}
    vehicles = {} if against is None else {arm: scale * against.sel(arm=arm).values for arm in arms}
    for arm, style in arm_styles(arms).items():
        draw_course(axes, dataset, name, arm, axis.days, style, partial(np.multiply, scale))
        draw_points(axes, dataset, name, arm, axis.days, style, partial(np.multiply, scale))
    start = next((float(rows[0]) for rows in values.values() if np.isfinite(rows[0])), 0.0)
    axes.axhline(start, color=GREY, linewidth=0.8, zorder=1)
    set_time_axis(lowest, axis, days[0], days[-1])
    axes.margins(y=0.08)
    axes.set_ylim(bottom=0.0)
    axes.set_ylabel(f"{label_of(variable)}{unit}")
    handles = draw_dose_marks(axes, dose_marks(dataset), axis.days)
    legend_below(axes, [*band_handles(dataset, "above: " if lowest is not axes else ""), *handles])
    label_ends(axes, [(start, "start", GREY), *_end_labels(values, vehicles, structure(dataset, "own_vehicle", []))])
    treated = [arm for arm in arms if arm != VEHICLE]
    if VEHICLE in arms and len(treated) == 1 and lowest is axes:
        _mark_largest(axes, days / axis.days, axis, values[treated[0]], values[VEHICLE])


def _mark_largest(axes: Axes, times: np.ndarray, axis: TimeAxis, dosed: np.ndarray, vehicle: np.ndarray) -> None:
    """Join the two lines where they are farthest apart, unless that is at the end, and say by how much."""
    _, at, farthest = largest_difference(dosed, vehicle)
    index, percent = int(at), float(farthest)
    if not abs(percent) >= SEEN or index == np.flatnonzero(np.isfinite(dosed))[-1]:
        return
    time, (low, high) = times[index], sorted((dosed[index], vehicle[index]))
    axes.plot([time, time], [low, high], color=BLACK, linewidth=0.9, zorder=4)
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    below = low - bottom > ROOM * (top - bottom)
    place = (time - left) / (right - left)
    axes.annotate(
        f"{_against(percent)}\nat {axis.name[:-1]} {time:.3g}",
        (time, low if below else high),
        xytext=(0, -5 if below else 5),
        textcoords="offset points",
        ha="left" if place < ROOM else "right" if place > 1 - ROOM else "center",
        va="top" if below else "bottom",
        fontsize=RC["legend.fontsize"],
    )


def _against(percent: float, vehicle: str = VEHICLE) -> str:
    """A difference to the vehicle in words, so that percent of it is not taken for points of the axis."""
    size = abs(percent)
    if size < SEEN:
        return f"same as {vehicle}"
    number = f"{size:.0f}" if size >= 10.0 else f"{size:.2g}"
    return f"{number} % {'more' if percent > 0 else 'less'} than {vehicle}"


def shown_unit(name: str, unit: str) -> tuple[float, str]:
    """Factor and text of the unit on the axis."""
    if unit in DIMENSIONLESS:
        return (100.0, " (%)") if "fraction" in name else (1.0, "")
    return 1.0, f" ({unit})"


def _end_labels(
    values: dict[str, np.ndarray], vehicles: dict[str, np.ndarray], own: Collection[str]
) -> list[tuple[float, str, str]]:
    """(value, text, colour) of each arm; one that stopped before the end is not held against its vehicle there."""
    labels = []
    for arm, style in arm_styles(list(values)).items():
        vehicle = float(vehicles[arm][-1]) if arm in vehicles else np.nan
        end = _last(values[arm])
        if not np.isfinite(end):
            continue
        change = 100.0 * (values[arm][-1] - vehicle) / abs(vehicle) if vehicle and arm != VEHICLE else np.nan
        against = f"\n{_against(change, 'its own' if arm in own else VEHICLE)}" if np.isfinite(change) else ""
        against = against if np.isfinite(values[arm][-1]) else "\nstopped early"
        labels.append((end, f"{arm}{against}", style.color))
    return labels


def _last(values: np.ndarray) -> float:
    """The last value that is known."""
    known = values[np.isfinite(values)]
    return float(known[-1]) if known.size else np.nan
