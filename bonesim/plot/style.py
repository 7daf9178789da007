"""How all figures look: colours that colour-blind readers can tell apart, one size of type, time in a fitting unit.

The palette is that of Okabe and Ito (Color Universal Design, 2008), without its yellow, which is too faint for lines
on white. Nothing is set globally: `styled` is a context, and figures are made inside it.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from contextlib import AbstractContextManager
from itertools import accumulate, cycle, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

from bonesim.scenario.problem import VEHICLE

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

BLACK, GREY, PALE = "#000000", "#6b6b6b", "#a8a8a8"
ORANGE, SKY, GREEN, BLUE = "#E69F00", "#56B4E9", "#009E73", "#0072B2"
VERMILION, PURPLE = "#D55E00", "#CC79A7"

WIDTH = 7.0
"""Width of a figure, inches: a page's text."""

TITLE_WIDTH, TITLE_LINE = 72, 0.18
"""Characters of a line of a figure's title, and its height in inches."""

LABEL_WIDTH = 24
"""Characters of a line of a label beside an axis."""

INK = 0.75
"""How bright the colour of a line is left in text, which is thinner and has to be read on white."""

LEGEND_WIDTH, LEGEND_MARK, LEGEND_LINE = 104, 8, 72
"""Characters that a row of a legend has room for, that the mark beside a label takes, and of a line of a label."""

RC: dict[Any, Any] = {
    "font.size": 9.0,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.labelsize": 9.0,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "figure.titlesize": 10.5,
    "figure.titleweight": "bold",
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "xtick.color": "#333333",
    "ytick.color": "#333333",
    "axes.edgecolor": "#333333",
}


Dashes: TypeAlias = str | tuple[int, tuple[float, ...]]

SOLID: Dashes = "solid"
DASHED: Dashes = (0, (5.0, 1.2))
DASHDOT: Dashes = (0, (4.0, 1.2, 1.0, 1.2))
SHORT: Dashes = (0, (3.0, 1.6))


class LineStyle(NamedTuple):
    """Colour and dashes of a line."""

    color: str
    linestyle: Dashes


class TimeAxis(NamedTuple):
    """Unit in which a time axis is labelled: its size in days, its name, and nice steps of ticks."""

    days: float
    name: str
    steps: tuple[float, ...]


TIME_AXES: tuple[tuple[float, TimeAxis], ...] = (
    (4.0, TimeAxis(1 / 24, "hours", (1, 1.2, 2.4, 6, 10))),
    (28.0, TimeAxis(1.0, "days", (1, 2, 7, 10))),
    (400.0, TimeAxis(7.0, "weeks", (1, 2, 4, 8, 10))),
    (3.0 * 365.25, TimeAxis(30.4375, "months", (1, 1.2, 2.4, 3, 6, 10))),
    (np.inf, TimeAxis(365.25, "years", (1, 2, 5, 10))),
)
"""Longest course in days -> the unit for it."""


def styled() -> AbstractContextManager[None]:
    """The context in which figures are made and saved."""
    return matplotlib.rc_context(RC)


def new_figure(height: float, title: str = "") -> Figure:
    """An empty figure of the common width on an Agg canvas; `height` in inches, more for a title of several lines."""
    lines = textwrap.wrap(title, TITLE_WIDTH)
    more = TITLE_LINE * max(len(lines) - 1, 0)
    figure = Figure(figsize=(WIDTH, height + more), layout=ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.06))
    FigureCanvasAgg(figure)
    if lines:
        figure.suptitle("\n".join(lines), x=0.012, ha="left")
    return figure


def arm_styles(arms: Sequence[str]) -> dict[str, LineStyle]:
    """A line for each arm: the vehicle in dashed grey, the others in colours and dashes of their own."""
    colours = cycle((BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY))
    dashes = cycle((SOLID, DASHED, DASHDOT))
    styles = {arm: LineStyle(next(colours), next(dashes)) for arm in arms if arm != VEHICLE}
    return styles | ({VEHICLE: LineStyle(GREY, SHORT)} if VEHICLE in arms else {})


def label_of(variable: xr.DataArray) -> str:
    """What a quantity is, in words; its name without underscores where nobody has said."""
    label = str(variable.attrs.get("long_name", variable.name))
    return label.replace("_", " ") if label == variable.name else label


def time_axis(length: float) -> TimeAxis:
    """The unit for a course of that many days."""
    return next(axis for longest, axis in TIME_AXES if length <= longest)


def set_time_axis(axes: Axes, axis: TimeAxis, start: float, end: float) -> None:
    """Limits (days), ticks and label of the time axis; `axes` is drawn in the unit of `axis`."""
    axes.set_xlim(start / axis.days, end / axis.days)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, steps=list(axis.steps)))
    axes.set_xlabel(f"time ({axis.name})")


_UNIT = re.compile(r"(?<=\d) (?=\D)")
"""The space between a number and its unit."""


def legend_below(axes: Axes, handles: Sequence[Artist]) -> None:
    """A legend below all panels of the figure of `axes`, in as many columns as fit; none where there is nothing to say.

    Columns are filled one after the other, and each is as wide as its longest label.
    """
    figure = axes.get_figure(root=True)
    if handles and figure is not None:
        for handle in handles:
            kept = _UNIT.sub("\N{NO-BREAK SPACE}", str(handle.get_label()))
            handle.set_label(textwrap.fill(kept, LEGEND_LINE).replace("\N{NO-BREAK SPACE}", " "))
        widths = [max(map(len, str(handle.get_label()).split("\n"))) + LEGEND_MARK for handle in handles]
        columns = next(
            count
            for count in range(len(handles), 0, -1)
            if count == 1 or sum(max(column) for column in np.array_split(widths, count)) <= LEGEND_WIDTH
        )
        figure.legend(handles=handles, loc="outside lower left", ncols=columns)


def label_ends(axes: Axes, labels: Sequence[tuple[float, str, str]]) -> None:
    """Write (value, text, colour) beside the right end of `axes`, moved apart where they would overlap."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()
    line = RC["legend.fontsize"] * figure.dpi / 72 / axes.bbox.height
    texts = ["\n".join(textwrap.fill(part, LABEL_WIDTH) for part in text.split("\n")) for _, text, _ in labels]
    sizes = [(1.25 * (text.count("\n") + 1) + 0.2) * line for text in texts]
    heights = moved_apart([_height(axes, value) for value, _, _ in labels], sizes)
    for (_, _, colour), text, height in zip(labels, texts, heights, strict=True):
        axes.annotate(
            text,
            (1.0, height),
            xycoords="axes fraction",
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            color=ink(colour),
            fontsize=RC["legend.fontsize"],
            annotation_clip=False,
        )


def ink(colour: str) -> tuple[float, ...]:
    """The colour of a line, darker, for text."""
    return tuple(INK * part for part in to_rgb(colour))


def moved_apart(wanted: Sequence[float], sizes: Sequence[float]) -> list[float]:
    """Heights between 0 and 1 of labels of these sizes, in the same order, as near to the wanted ones as there is room.

    Neighbours that collide are merged into a cluster that stands where its members want it on average, and so on
    until none do.
    """
    clusters: list[list[int]] = []
    for index in np.argsort(wanted, kind="stable").tolist():
        clusters.append([index])
        while len(clusters) > 1 and _collide(clusters[-2], clusters[-1], wanted, sizes):
            clusters[-2:] = [clusters[-2] + clusters[-1]]
    placed = [0.0] * len(wanted)
    for cluster in clusters:
        for index, height in zip(cluster, _stacked(cluster, wanted, sizes), strict=True):
            placed[index] = height
    return placed


def _stacked(cluster: Sequence[int], wanted: Sequence[float], sizes: Sequence[float]) -> list[float]:
    """Heights of the members of a cluster, each touching the next."""
    steps = [(sizes[below] + sizes[above]) / 2 for below, above in pairwise(cluster)]
    offsets = list(accumulate(steps, initial=0.0))
    mean = sum(wanted[index] - offset for index, offset in zip(cluster, offsets, strict=True)) / len(cluster)
    bottom = max(0.0, min(mean, 1.0 - offsets[-1]))
    return [bottom + offset for offset in offsets]


def _collide(below: Sequence[int], above: Sequence[int], wanted: Sequence[float], sizes: Sequence[float]) -> bool:
    room = _stacked(above, wanted, sizes)[0] - _stacked(below, wanted, sizes)[-1]
    return room < (sizes[below[-1]] + sizes[above[0]]) / 2


def _height(axes: Axes, value: float) -> float:
    """Where a value stands, as a fraction of the height of `axes`, kept inside."""
    pixel = axes.transData.transform((axes.get_xlim()[0], value))[1]
    return float(np.clip(axes.transAxes.inverted().transform((0.0, pixel))[1], 0.0, 1.0))
