"""A profile as bars: what becomes of each process in each cell, of the outcomes, and where the vesicles are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bonesim.plot.style import BLACK, BLUE, GREY, VERMILION, new_figure, styled
from bonesim.profile import PLACES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BAR = 0.2
"""Height of a bar with its name, inches."""


def plot_profile(found: Mapping[str, Any]) -> Figure:
    """Processes on top (log2), outcomes and places of the vesicles (percent) below; blue up, red down.

    Parameters
    ----------
    found
        What `bonesim.profile` returns.
    """
    processes = [(name, value) for name, value in found["processes"].items() if "." in name]
    processes.sort(key=lambda row: row[0].partition(".")[::-1])
    outcomes = [(name.replace("_", " "), value) for name, value in found["outcomes"].items()]
    places = [(PLACES.get(name, name), value) for name, value in found["exposure"].items()]
    heights = [0.5 + BAR * max(len(rows), 2) for rows in (processes, outcomes, places)]
    context = f" in {found['context']}" if found["context"] else ""
    with styled():
        figure = new_figure(sum(heights) + 1.3, f"{found['label']}{context}, {found['dose']} {found['route']}")
        panels = figure.subplots(3, height_ratios=heights)
        _draw(panels[0], processes, f"processes: log2 of activity against vehicle, mean over {found['horizon']}")
        _draw(panels[1], outcomes, f"outcomes: percent against vehicle after {found['horizon']}")
        _draw(panels[2], places, "vesicles: percent of what was delivered, by place", GREY)
    return figure


def _draw(axes: Axes, rows: Sequence[tuple[str, float]], title: str, colour: str | None = None) -> None:
    rows = rows or [("none", 0.0)]
    places = np.arange(len(rows))[::-1]
    values = [value for _, value in rows]
    axes.barh(places, values, color=[colour or (BLUE if value > 0 else VERMILION) for value in values], height=0.7)
    axes.set_yticks(places, [name.replace("_", " ") for name, _ in rows], fontsize=8.0)
    axes.axvline(0.0, color=BLACK, linewidth=0.8)
    axes.grid(visible=False, axis="y")
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.margins(x=0.08)
    axes.set_title(title)
