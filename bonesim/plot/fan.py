"""A sweep over time: where the members lie, output by output, beside the vehicle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from bonesim.plot.doses import dose_marks, draw_dose_marks
from bonesim.plot.outcome import shown_unit
from bonesim.plot.style import (
    BLUE,
    GREY,
    SHORT,
    label_of,
    legend_below,
    new_figure,
    set_time_axis,
    styled,
    time_axis,
)
from bonesim.results.dataset import days_of, quantities, structure
from bonesim.scenario.problem import DOSED, VEHICLE

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BANDS = ((5, 95, "#bcd7ea"), (25, 75, "#7db2d6"))
"""Lower and upper quantile of each band, percent, and its colour: tints of the median's blue."""

SAME = 1e-5
"""Relative spread below which the vehicle is one line for all members."""


def plot_fan(study: xr.Dataset) -> Figure:
    """One panel an output: median and bands of the dosed members, and the vehicle.

    Quantiles are taken over the members at each time, each for itself, members that stopped left out from their end
    on, as the legend then says; no single member need follow a line. Where the vehicle differs between members, thin
    lines hold 90 % of it.

    Parameters
    ----------
    study
        Result of a sweep, dimensions `(member, arm, time)`.
    """
    names = quantities(study, role="output")
    days = days_of(study)
    axis = time_axis(float(days[-1] - days[0]))
    with styled():
        figure = new_figure(1.1 + 1.6 * len(names), study.attrs.get("title", ""))
        panels = list(figure.subplots(len(names), sharex=True, squeeze=False)[:, 0])
        for panel, name in zip(panels, names, strict=True):
            _draw(panel, study[name], days / axis.days)
        set_time_axis(panels[-1], axis, days[0], days[-1])
        lines = [line for panel in panels for line in panel.get_legend_handles_labels()[0]]
        marks = [] if _doses_vary(study) else draw_dose_marks(panels[0], dose_marks(study), axis.days)
        bands = [Patch(color=colour, label=f"{low} to {high} % of the members") for low, high, colour in BANDS]
        legend_below(panels[-1], [*_first_of_each(lines), *bands, *_stopped(study, names[0]), *marks])
    return figure


def _draw(axes: Axes, variable: xr.DataArray, times: np.ndarray) -> None:
    scale, unit = shown_unit(str(variable.name), variable.attrs["units"])
    dosed, vehicle = (scale * variable.sel(arm=arm).values.astype(float) for arm in (DOSED, VEHICLE))
    known = np.isfinite(dosed).any(axis=0) & np.isfinite(vehicle).any(axis=0)
    times, dosed, vehicle = times[known], dosed[:, known], vehicle[:, known]
    for low, high, colour in BANDS:
        axes.fill_between(times, *np.nanpercentile(dosed, (low, high), axis=0), color=colour, linewidth=0.0, zorder=2)
    axes.plot(times, np.nanmedian(dosed, axis=0), color=BLUE, label="median", zorder=4)
    axes.plot(times, np.nanmedian(vehicle, axis=0), color=GREY, linestyle=SHORT, label="vehicle", zorder=3)
    if (np.nanmax(vehicle, axis=0) - np.nanmin(vehicle, axis=0)).max() > SAME * np.nanmax(np.abs(vehicle)):
        low, high, _ = BANDS[0]
        for edge in np.nanpercentile(vehicle, (low, high), axis=0):
            axes.plot(times, edge, color=GREY, linewidth=0.7, zorder=3, label=f"{low} to {high} % of the vehicles")
    axes.margins(y=0.1)
    axes.set_title(f"{label_of(variable)}{unit}")
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]))


def _first_of_each(lines: Sequence[Artist]) -> list[Artist]:
    """One line for each label, in order."""
    return list({str(line.get_label()): line for line in reversed(lines)}.values())[::-1]


def _stopped(study: xr.Dataset, name: str) -> list[Artist]:
    """A line of text for the legend if members have no course to the end."""
    ends = np.isnan(study[name].values[..., -1]).any(axis=1)
    count = np.count_nonzero(ends)
    label = f"{count} of {len(ends)} stopped early"
    return [Line2D([], [], linestyle="", label=label)] if count else []


def _doses_vary(study: xr.Dataset) -> bool:
    """Whether members differ in a dose, so that no mark would hold for all."""
    axes = structure(study, "design", {}).get("axes", [])
    return any(axis["path"].startswith("doses[") for axis in axes)
