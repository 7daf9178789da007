"""Where the vesicles are: particles in each compartment, over the whole course and right after the first dose."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bonesim.errors import InputError
from bonesim.plot.compartments import TARGETS, Compartment, Exposure, exposures_of
from bonesim.plot.doses import DoseMarks, draw_dose_marks
from bonesim.plot.style import (
    DASHED,
    PALE,
    SOLID,
    TIME_AXES,
    LineStyle,
    TimeAxis,
    label_ends,
    legend_below,
    new_figure,
    set_time_axis,
    styled,
    time_axis,
)
from bonesim.results.members import stated
from bonesim.scenario.problem import VEHICLE

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HOURS: TimeAxis = TIME_AXES[0][1]

MOST_ROWS = 6
"""Rows of panels on one page."""

TITLE_WIDTH, NOTE_WIDTH = 36, 40
"""Characters of a line above and below a panel."""


def plot_exposure(dataset: xr.Dataset, arm: str | None = None) -> Figure:
    """Vesicles by compartment on a logarithmic axis, one row of panels for each group of doses, with the stated values.

    An arm in which the vesicles of a group are at other places has a row of its own, up to `MOST_ROWS` in all.

    The first panel has the values at the recorded times, the second one the first 48 hours after the first dose, where
    the result has `early_time`. A compartment that empties between two recorded times stands in the second panel only,
    and as dots in the first where there is no second.

    Parameters
    ----------
    dataset
        Result of a scenario, dimensions `(arm, time)` or `(arm, member, time)`.
    arm
        Which arm; all but the vehicle where it is left out.

    Raises
    ------
    InputError
        If the result has no exposure.
    """
    dataset = stated(dataset)
    arms = [str(name) for name in dataset["arm"].values]
    chosen = [arm] if arm else [name for name in arms if name != VEHICLE] or arms
    exposures = exposures_of(dataset, chosen)
    if not exposures:
        raise InputError("the result has no exposure", remedy="a scenario with at least one dose")
    left_out = list(dict.fromkeys(name for exposure in exposures[MOST_ROWS:] for name in exposure.arms))
    exposures = exposures[:MOST_ROWS]
    with styled():
        title = dataset.attrs.get("title", "")
        more = f" (without what differs in {', '.join(left_out)})" if left_out else ""
        figure = new_figure(0.9 + 2.8 * len(exposures), f"{title}{more}")
        columns = 2 if any(exposure.has_early for exposure in exposures) else 1
        rows = figure.subplots(len(exposures), columns, squeeze=False, sharey="row", width_ratios=[1.2, 1.0][:columns])
        told = len(chosen) > 1
        drawn = [_draw_row(list(row), exposure, told) for row, exposure in zip(rows, exposures, strict=True)]
        legend_below(rows[-1, 0], _first_of_each(mark for marks in drawn if len(marks) > 1 for mark in marks))
        notes = [_course_note(exposure) for exposure in exposures]
        for row, note, below in zip(rows, notes, [*notes[1:], ""], strict=True):
            if note != below:
                row[0].set_xlabel(f"{row[0].get_xlabel()}\n{note}")
        for row, exposure in zip(rows, exposures, strict=True):
            _label_row(list(row), exposure)
    return figure


def _first_of_each(marks: Iterable[Artist]) -> list[Artist]:
    """One mark for each dose, though several rows may have it."""
    return list({str(mark.get_label()): mark for mark in marks}.values())


def _draw_row(panels: Sequence[Axes], exposure: Exposure, told: bool) -> list[Artist]:
    """Lines and marks of one group, and which arms it is of; returns the marks, for a legend where it has several."""
    marks = _draw_course(
        panels[0], exposure, f"{', '.join(exposure.arms)}: {exposure.group}" if told else exposure.group
    )
    if exposure.has_early:
        _draw_first_hours(panels[1], exposure)
    for panel in panels[1 + exposure.has_early :]:
        panel.set_visible(False)
    return marks


def _label_row(panels: Sequence[Axes], exposure: Exposure) -> None:
    """Names beside the lines, in the last panel; after everything else, since that moves them."""
    early = exposure.has_early
    rows = {place.label: place.early if early else place.values for place in exposure.compartments}
    label_ends(panels[1 if early else 0], _labels(exposure, rows))


def _draw_course(axes: Axes, exposure: Exposure, title: str) -> list[Artist]:
    days = exposure.days
    axis = time_axis(float(days[-1] - days[0]))
    axes.set_title(textwrap.fill(title, TITLE_WIDTH))
    axes.set_ylabel(f"vesicles ({exposure.unit})")
    set_time_axis(axes, axis, days[0], days[-1])
    for place, style, level in _drawn(axes, exposure):
        if place.outruns_record and exposure.has_early:
            continue
        if place.outruns_record:
            size = 5.5 if place.symbol in TARGETS else 3.8
            dots = axes.plot(days / axis.days, place.values, ".", color=style.color, label=place.label, zorder=level)
            dots[0].set(markersize=size, markeredgewidth=0.0)
        else:
            _draw_line(axes, exposure, place, days / axis.days, place.values, style, level)
    return draw_dose_marks(axes, exposure.marks, axis.days)


def _draw_first_hours(axes: Axes, exposure: Exposure) -> None:
    start, end = float(exposure.early_days[0]), float(exposure.early_days[-1])
    axes.set_title(f"first {(end - start) / HOURS.days:.0f} hours")
    set_time_axis(axes, HOURS, 0.0, end - start)
    axes.set_xlabel("time since first dose (hours)")
    for place, style, level in _drawn(axes, exposure):
        _draw_line(axes, exposure, place, (exposure.early_days - start) / HOURS.days, place.early, style, level)
    draw_dose_marks(axes, _shifted(exposure.marks, start, end), HOURS.days)


def _drawn(axes: Axes, exposure: Exposure) -> Iterator[tuple[Compartment, LineStyle, float]]:
    """Every compartment with its line and level, once the axis is set: grey at the back, dashes in front."""
    axes.set_yscale("log")
    axes.set_ylim(*exposure.limits)
    styles = exposure.styles
    for place in exposure.compartments:
        style = styles.get(place.label, LineStyle(PALE, SOLID))
        yield place, style, 2.0 if style.color == PALE else 4.0 if style.linestyle == DASHED else 3.0


def _draw_line(
    axes: Axes,
    exposure: Exposure,
    place: Compartment,
    times: np.ndarray,
    values: np.ndarray,
    style: LineStyle,
    level: float,
) -> None:
    """A line; what is below the axis (0, too) runs along far below it instead of breaking off."""
    shown = np.maximum(values, 1e-3 * exposure.limits[0])
    width = 2.2 if place.symbol in TARGETS else 1.3
    axes.plot(times, shown, linewidth=width, zorder=level, label=place.label, **style._asdict())


def _course_note(exposure: Exposure) -> str:
    """What the panel of the whole course shows, and what it can not show; rows that share it have it once, below."""
    told = [_recorded(exposure.days)]
    if any(place.only_rises for place in exposure.compartments):
        told.append("lines that only rise: all that ever got there")
    quick = [place.label for place in exposure.compartments if place.outruns_record]
    if quick:
        where = "too quick, see first hours" if exposure.has_early else "dots, with higher values between"
        told.append(textwrap.fill(f"{', '.join(quick)}: {where}", NOTE_WIDTH))
    return "\n".join(told)


def _recorded(days: np.ndarray) -> str:
    """At which times the values of the whole course stand, in words."""
    steps = np.diff(days)
    step = float(np.median(steps)) if len(steps) else 0.0
    if not step or not np.allclose(steps[:-1], step, rtol=1e-6):
        return "values at the recorded times, after a dose"
    every = f"{step:.3g} day" if step >= 1 else f"{step / HOURS.days:.3g} h"
    return f"values every {every}, after a dose"


def _shifted(marks: Sequence[DoseMarks], start: float, end: float) -> list[DoseMarks]:
    """The marks that fall into the first hours, on their clock."""
    inside = [(row, tuple(time - start for time in row.times_day if start <= time <= end)) for row in marks]
    return [
        replace(row, times_day=times, over_day=min(row.over_day, end - start - times[-1]))
        for row, times in inside
        if times
    ]


def _labels(exposure: Exposure, rows: dict[str, np.ndarray]) -> list[tuple[float, str, str]]:
    """(value where the label stands, text, colour): the last value, or the peak of a line that has left the axis."""
    bottom, _ = exposure.limits
    heights = {}
    for name, values in rows.items():
        known = values[np.isfinite(values)]
        last = float(known[-1]) if known.size else 0.0
        heights[name] = last if last >= bottom else max(float(known.max(initial=0.0)), bottom)
    styles = exposure.styles
    labels = [(heights[name], name, style.color) for name, style in styles.items()]
    minor = sorted(set(heights) - set(styles), key=lambda name: -heights[name])
    if minor:
        middle = float(np.exp(np.mean([np.log(heights[name]) for name in minor])))
        labels.append((middle, ", ".join(minor), PALE))
    return labels
