"""Several runs side by side: what each dosed arm adds to its vehicle, output by output."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bonesim.plot.style import (
    BLACK,
    BLUE,
    DASHDOT,
    DASHED,
    GREEN,
    ORANGE,
    PURPLE,
    SHORT,
    SKY,
    SOLID,
    VERMILION,
    legend_below,
    new_figure,
    set_time_axis,
    styled,
    time_axis,
)
from bonesim.results.arms import vehicle_of
from bonesim.results.dataset import days_of, quantities
from bonesim.results.members import stated
from bonesim.scenario.problem import VEHICLE

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bonesim.compare import Entry

COLOURS = (BLUE, ORANGE, GREEN, PURPLE, VERMILION, SKY, BLACK)
DASHES = (SOLID, DASHED, DASHDOT, SHORT)


class Line(NamedTuple):
    """One arm of one run."""

    name: str
    result: xr.Dataset
    arm: str


def plot_comparison(entries: Sequence[Entry]) -> Figure:
    """One panel an output: the difference to the vehicle in percent over time, one line for each dosed arm.

    Percent of the vehicle is what models with units of their own have in common.
    """
    lines = list(_lines(entries))
    names = list(dict.fromkeys(name for entry in entries for name in quantities(entry.result, role="output")))
    longest = max((days_of(entry.result) for entry in entries), key=lambda days: float(days[-1]))
    axis = time_axis(float(longest[-1] - longest[0]))
    with styled():
        figure = new_figure(1.0 + 1.5 * len(names))
        panels = list(figure.subplots(len(names), sharex=True, squeeze=False)[:, 0])
        for panel, name in zip(panels, names, strict=True):
            _draw(panel, lines, name, axis.days)
        set_time_axis(panels[-1], axis, longest[0], longest[-1])
        legend_below(panels[-1], panels[0].get_legend_handles_labels()[0])
    return figure


def _lines(entries: Sequence[Entry]) -> Iterator[Line]:
    names, cores = (len({getattr(entry, key) for entry in entries}) > 1 for key in ("name", "core"))
    for entry in entries:
        dosed = [str(arm) for arm in entry.result["arm"].values if arm != VEHICLE]
        for arm in dosed:
            parts = [entry.name if names else "", entry.core if cores else "", arm if len(dosed) > 1 else ""]
            yield Line(", ".join(filter(None, parts)) or arm, stated(entry.result), arm)


def _draw(axes: Axes, lines: Sequence[Line], name: str, unit_days: float) -> None:
    for number, line in enumerate(lines):
        if name not in line.result:
            continue
        against = vehicle_of(line.result, name)
        if against is None:
            continue
        dosed, vehicle = (course.sel(arm=line.arm).values.astype(float) for course in (line.result[name], against))
        change = 100.0 * (dosed - vehicle) / np.abs(vehicle)
        style = {"color": COLOURS[number % len(COLOURS)], "linestyle": DASHES[number % len(DASHES)]}
        axes.plot(days_of(line.result) / unit_days, change, label=line.name, **style)  # type: ignore[arg-type]
    axes.axhline(0.0, color=BLACK, linewidth=0.8)
    axes.margins(y=0.1)
    axes.set_title(f"{name.replace('_', ' ')}, against vehicle (%)")
