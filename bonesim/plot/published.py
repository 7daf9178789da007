"""A figure of a paper, drawn from the module: the panels of its card, one line for each symbol or run."""

from __future__ import annotations

import re
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np

from bonesim.compose.card import Card, Panel
from bonesim.compose.card import Figure as Shown
from bonesim.experiment import experiment
from bonesim.plot.style import (
    BLACK,
    BLUE,
    DASHDOT,
    DASHED,
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    SOLID,
    VERMILION,
    TimeAxis,
    legend_below,
    new_figure,
    set_time_axis,
    styled,
    time_axis,
)
from bonesim.simulate import simulate
from bonesim.units import Quantity

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POINTS = 601
DAYS = TimeAxis(1.0, "days", (1, 2, 2.5, 5, 10))
SHORTEST, LONGEST = 2.0, 4000.0
"""Between these papers count days; hours below, years above."""

COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK)
DASHES = (SOLID, DASHED, DASHDOT)


def plot_published(card: Card, shown: Shown) -> Figure:
    """Courses of the figure's runs, which begin at 0, from `since` to `until`.

    Parameters
    ----------
    card
        Of the module.
    shown
        One of its figures.
    """
    symbols = list(dict.fromkeys(symbol for panel in shown.panels for symbol in panel.symbols))
    times = np.linspace(shown.since, shown.until, POINTS)
    asked = np.unique([0.0, *times])
    courses = [simulate(experiment(card.id, run), asked, symbols).isel(time=slice(-POINTS, None)) for run in shown.runs]
    labels = [run.label for run in shown.runs]
    days = Quantity.parse(f"1 {card.time_unit}").to("day")
    with styled():
        figure = new_figure(1.3 + 1.9 * len(shown.panels), _title(card, shown))
        panels = figure.subplots(len(shown.panels), sharex=True, squeeze=False)[:, 0]
        axis = _axis(card, shown.until, days)
        for axes, panel in zip(panels, shown.panels, strict=True):
            _draw(axes, panel, card, courses, labels, times * days / axis.days)
        set_time_axis(panels[-1], axis, days * shown.since, days * shown.until)
        if len(labels) > 1:
            legend_below(panels[-1], panels[0].get_legend_handles_labels()[0][: len(labels)])
    return figure


def _title(card: Card, shown: Shown) -> str:
    """Model, and the first sentence of what is shown."""
    return f"{card.id}: {re.split(r'[.](?:$| )', shown.shows)[0]}"


def _axis(card: Card, until: float, days: float) -> TimeAxis:
    """Time as the card counts it, where that is days, so that its words and the ticks are the same."""
    return DAYS if card.time_unit == "day" and SHORTEST < until <= LONGEST else time_axis(days * until)


def _draw(
    axes: Axes, panel: Panel, card: Card, courses: list[xr.Dataset], labels: list[str], times: np.ndarray
) -> None:
    """Runs differ by colour and symbols by dashes; of a single run, symbols by colour."""
    one_run = len(courses) == 1
    for place, symbol in enumerate(panel.symbols):
        colours = cycle(COLOURS)
        for course, label in zip(courses, labels, strict=True):
            colour = COLOURS[place % len(COLOURS)] if one_run else next(colours)
            dashes = DASHES[place % len(DASHES)]
            axes.plot(times, course[symbol].values, color=colour, linestyle=dashes, label=label or symbol)
    if len(panel.symbols) > 1:
        count = len(panel.symbols)
        meanings = [axes.plot([], [], color=BLACK, linestyle=dashes)[0] for dashes in DASHES[:count]]
        handles = axes.get_lines()[:count] if one_run else meanings
        axes.legend(handles, [card.symbols[symbol].label for symbol in panel.symbols], loc="best")
    axes.set_yscale(panel.scale)
    axes.set_title(panel.label)
    unit = card.symbols[panel.symbols[0]].unit
    axes.set_ylabel("" if unit == "dimensionless" else unit.replace("^3", "\N{SUPERSCRIPT THREE}"))
