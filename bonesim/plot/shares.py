"""Where an effect comes from: what each cargo adds over time, and what each edge and module carries at its largest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bonesim.plot.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PALE,
    PURPLE,
    SKY,
    VERMILION,
    legend_below,
    new_figure,
    set_time_axis,
    styled,
    time_axis,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION)
"""Of the cargo that carries most; the rest is one grey area."""

MOST_BARS = 24


def plot_shares(found: Mapping[str, Any]) -> Figure:
    """The effect over time as a stack of what each cargo adds, and bars of the edges' and modules' shares.

    Parameters
    ----------
    found
        What `bonesim.explain` returns.
    """
    bars = [(row["edge"], row["share"], row["mechanism"] == "unknown") for row in found["edges"]]
    bars = [*bars[:MOST_BARS], *((f"module {row['module']}", row["share"], False) for row in found["modules"])]
    with styled():
        figure = new_figure(3.9 + 0.19 * len(bars), found["title"])
        over_time, by_edge = figure.subplots(2, height_ratios=[3.0, 0.4 + 0.19 * len(bars)])
        _draw_course(over_time, found)
        _draw_bars(by_edge, bars, f"share of the effect at day {found['largest_at']:.4g} (%)")
    return figure


def _draw_course(axes: Axes, found: Mapping[str, Any]) -> None:
    days = np.array(found["time"])
    axis = time_axis(float(days[-1] - days[0]))
    scale = 100.0 if found["unit"] == "dimensionless" else 1.0
    rows = found["cargo"]
    layers = [(_cargo_name(row), scale * np.array(row["shapley"])) for row in rows[: len(COLOURS)]]
    if rest := rows[len(COLOURS) :]:
        layers.append(("other cargo", scale * np.sum([row["shapley"] for row in rest], axis=0)))
    up, down = np.zeros_like(days), np.zeros_like(days)
    areas = []
    for (name, layer), colour in zip(layers, (*COLOURS, PALE), strict=False):
        for base, part in ((up, np.maximum(layer, 0.0)), (down, np.minimum(layer, 0.0))):
            area = axes.fill_between(days / axis.days, base, base + part, color=colour, linewidth=0.0, label=name)
            base += part
        areas.append(area)
    (line,) = axes.plot(days / axis.days, scale * np.array(found["effect"]), color=BLACK, linewidth=1.2, label="effect")
    unit = "percentage points" if scale == 100.0 else found["unit"]
    axes.set_title(f"{found['output'].replace('_', ' ')}, {found['arm']} minus vehicle ({unit})")
    set_time_axis(axes, axis, days[0], days[-1])
    legend_below(axes, [line, *areas])


def _draw_bars(axes: Axes, bars: Sequence[tuple[str, float | None, bool]], label: str) -> None:
    places = np.arange(len(bars))[::-1]
    sizes = [100.0 * (share or 0.0) for _, share, _ in bars]
    colours = [GREY if unknown else BLUE for _, _, unknown in bars]
    axes.barh(places, sizes, color=colours, height=0.72)
    axes.set_yticks(places, [name for name, _, _ in bars], fontsize=7.5)
    axes.axvline(0.0, color=BLACK, linewidth=0.8)
    axes.grid(visible=False, axis="y")
    axes.set_ylim(-0.7, len(bars) - 0.3)
    axes.set_title("edges and modules; grey: mechanism not known")
    axes.set_xlabel(label)


def _cargo_name(row: Mapping[str, Any]) -> str:
    return f"{row['cargo'] or 'cargo not named'} ({row['source']})"
