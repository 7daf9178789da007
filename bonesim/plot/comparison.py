"""Several runs side by side: what each dosed arm adds to its vehicle, output by output."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from matplotlib.lines import Line2D

from bonesim.plot.course import against_vehicle, draw_band, legend_of_bands
from bonesim.plot.style import (
    BLACK,
    BLUE,
    DASHDOT,
    DASHED,
    GREEN,
    GREY,
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
from bonesim.results.dataset import days_of, quantities
from bonesim.results.members import has_draws, quantiles, stated
from bonesim.scenario.problem import VEHICLE

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bonesim.compare import Entry

COLOURS = (BLUE, ORANGE, GREEN, PURPLE, VERMILION, SKY, BLACK)
DASHES = (SOLID, DASHED, DASHDOT, SHORT)


THIN = 0.9
"""Width of the line of a median."""


class Line(NamedTuple):
    """One arm of one run."""

    name: str
    result: xr.Dataset
    arm: str


def plot_comparison(entries: Sequence[Entry]) -> Figure:
    """One panel an output: the difference to the vehicle in percent over time, one line for each dosed arm.

    Percent of the vehicle is what models with units of their own have in common. With draws, a band holds 90 % of the
    differences, each of a member to its own vehicle, and a thin line is their median.
    """
    lines = list(_lines(entries))
    names = list(dict.fromkeys(name for entry in entries for name in quantities(entry.result, role="output")))
    longest = max((days_of(entry.result) for entry in entries), key=lambda days: float(days[-1]))
    axis = time_axis(float(longest[-1] - longest[0]))
    titles = {str(entry.result.attrs.get("title", "")) for entry in entries}
    with styled():
        figure = new_figure(1.0 + 1.5 * len(names), titles.pop() if len(titles) == 1 else "")
        panels = list(figure.subplots(len(names), sharex=True, squeeze=False)[:, 0])
        for panel, name in zip(panels, names, strict=True):
            _draw(panel, lines, name, axis.days)
        set_time_axis(panels[-1], axis, longest[0], longest[-1])
        drawn = next((handles for line in lines if (handles := legend_of_bands(line.result))), [])
        legend_below(panels[-1], [*panels[0].get_legend_handles_labels()[0], *drawn, *_median_handles(drawn)])
    return figure


def _lines(entries: Sequence[Entry]) -> Iterator[Line]:
    names, cores = (len({getattr(entry, key) for entry in entries}) > 1 for key in ("name", "core"))
    for entry in entries:
        dosed = [str(arm) for arm in entry.result["arm"].values if arm != VEHICLE]
        for arm in dosed:
            parts = [entry.name if names else "", entry.core if cores else "", arm if len(dosed) > 1 else ""]
            yield Line(", ".join(filter(None, parts)) or arm, entry.result, arm)


def _draw(axes: Axes, lines: Sequence[Line], name: str, unit_days: float) -> None:
    bands = sum(has_draws(line.result) for line in lines)
    for number, line in enumerate(lines):
        change = against_vehicle(name, stated(line.result), line.arm)
        if change is None:
            continue
        times, colour = days_of(line.result) / unit_days, COLOURS[number % len(COLOURS)]
        drawn = against_vehicle(name, line.result, line.arm) if has_draws(line.result) else None
        if drawn is not None:
            low, median, high = quantiles(drawn)
            draw_band(axes, times, low, high, colour, bands)
            axes.plot(times, median, color=colour, linewidth=THIN)
        dashes = DASHES[number % len(DASHES)]
        axes.plot(times, change, label=line.name, color=colour, linestyle=dashes)
    axes.axhline(0.0, color=BLACK, linewidth=0.8)
    axes.margins(y=0.1)
    axes.set_title(f"{name.replace('_', ' ')}, against vehicle (%)")


def _median_handles(drawn: Sequence[Artist]) -> list[Artist]:
    return [Line2D([], [], color=GREY, linewidth=THIN, label="thin: median of the draws")] if drawn else []
