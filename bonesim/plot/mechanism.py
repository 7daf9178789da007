"""How a source is said to act: cargo on the left, what it moves in the middle, processes of cells on the right."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D

from bonesim.plot.style import BLACK, BLUE, GREY, VERMILION, legend_below, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bonesim.catalog.schema import Edge, Source

ROW = 0.27
"""Height of a name with its room, inches."""

NAME_WIDTH = 26
"""Characters of a line of a name."""

ROUNDS = 12
"""Times that the columns are put in order by their neighbours; the order rarely changes after a few."""

Place = tuple[int, str]
"""A column, and the name that stands in it."""


@dataclass(frozen=True)
class Link:
    """A line between two names: raises (+1) or lowers (-1), in grey where the mechanism is not known."""

    start: Place
    end: Place
    sign: int
    known: bool


BESIDE = 0.2
"""How far from the middle of a name its links begin and end, in columns."""


def plot_mechanism(source: Source, context: str | None = None) -> Figure:
    """The edges of a source as a graph from cargo to process; one that needs another context is left out.

    Parameters
    ----------
    source
        A source of the catalogue.
    context
        Id of a disease or setting; edges without a context act in any.
    """
    edges = [edge for edge in source.edges if edge.context in (None, context)]
    depth = 1 + max((len(edge.chain) for edge in edges), default=0)
    links = list(dict.fromkeys(link for edge in edges for link in _links(edge, depth)))
    columns = _ordered(links, depth + 1)
    tallest = max(1, *map(len, columns))
    with styled():
        figure = new_figure(1.1 + ROW * max(tallest, 4), source.label + (f" in {context}" if context else ""))
        axes = figure.add_subplot()
        axes.set_axis_off()
        axes.set_xlim(-0.32, depth + 0.55)
        axes.set_ylim(-0.6, tallest - 0.4)
        places = _places(columns, tallest)
        for link in links:
            _draw_link(axes, places, link)
        for (column, name), (x, y) in places.items():
            _draw_name(axes, x, y, name, first=column == 0, last=column == depth)
        if not edges:
            axes.text(0.0, 0.5 * tallest, "no effect is stated", ha="left", va="center", color=GREY)
        legend_below(axes, _legend())
    return figure


def _links(edge: Edge, depth: int) -> Iterator[Link]:
    """The links of one edge; the last one leads to the process, wherever the chain ends."""
    known = edge.mechanism == "stated"
    here: Place = (0, edge.cargo or "vesicles")
    before = 1
    for column, node in enumerate(edge.chain, start=1):
        there = (column, node.node)
        yield Link(here, there, node.sign * before, known)
        here, before = there, node.sign
    process = edge.process.replace("_", " ")
    yield Link(here, (depth, f"{process}, {edge.cell_target.replace('_', ' ')}"), edge.link_sign, known)


def _ordered(links: Sequence[Link], columns: int) -> list[list[str]]:
    """The names of each column, neighbours near each other: each column by the mean rank of what it is linked to."""
    found: list[list[str]] = [[] for _ in range(columns)]
    for link in links:
        for column, name in (link.start, link.end):
            if name not in found[column]:
                found[column].append(name)
    for turn in range(ROUNDS):
        for column in range(columns) if turn % 2 else reversed(range(columns)):
            found[column] = sorted(found[column], key=_mean_rank(found, links, column))
    return found


def _mean_rank(found: Sequence[Sequence[str]], links: Sequence[Link], column: int) -> Callable[[str], float]:
    ranks = {
        (number, name): rank / max(len(names), 1)
        for number, names in enumerate(found)
        for rank, name in enumerate(names)
    }

    def rank(name: str) -> float:
        here = (column, name)
        others = [ranks[link.end] for link in links if link.start == here]
        others += [ranks[link.start] for link in links if link.end == here]
        return float(np.mean(others)) if others else ranks[here]

    return rank


def _places(columns: Sequence[Sequence[str]], tallest: int) -> dict[Place, tuple[float, float]]:
    """Where each name stands: columns side by side, their names evenly over the height."""
    places = {}
    for column, names in enumerate(columns):
        step = tallest / max(len(names), 1)
        for rank, name in enumerate(names):
            places[column, name] = (float(column), tallest - 0.5 - (rank + 0.5) * step)
    return places


def _draw_link(axes: Axes, places: Mapping[Place, tuple[float, float]], link: Link) -> None:
    start, end = places[link.start], places[link.end]
    colour = GREY if not link.known else BLUE if link.sign > 0 else VERMILION
    arrow = "-|>,head_length=0.35,head_width=0.16" if link.sign > 0 else "-"
    tip = end[0] - BESIDE
    if link.sign < 0:  # a marker, since the head of a dashed arrow would be dashed, too
        axes.plot([tip], [end[1]], marker="|", color=colour, markersize=6.0, markeredgewidth=1.2)
    axes.annotate(
        "",
        xy=(tip, end[1]),
        xytext=(start[0] + BESIDE, start[1]),
        arrowprops={
            "arrowstyle": arrow,
            "color": colour,
            "linewidth": 1.0,
            "linestyle": "solid" if link.known else (0, (3, 2)),
            "shrinkA": 0,
            "shrinkB": 0,
            "connectionstyle": "arc3,rad=0",
        },
    )


def _draw_name(axes: Axes, x: float, y: float, name: str, *, first: bool, last: bool) -> None:
    side = "right" if first else "left" if last else "center"
    inside = BESIDE - 0.04
    shift = inside if first else -inside if last else 0.0
    text = textwrap.fill(name, NAME_WIDTH)
    paper = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
    axes.text(
        x + shift, y, text, ha=side, va="center", fontsize=7.5, color=BLACK, linespacing=1.0, bbox=paper, zorder=5
    )


def _legend() -> list[Line2D]:
    return [
        Line2D([], [], color=BLUE, label="raises"),
        Line2D([], [], color=VERMILION, label="lowers"),
        Line2D([], [], color=GREY, linestyle=(0, (3, 2)), label="mechanism not known"),
    ]
