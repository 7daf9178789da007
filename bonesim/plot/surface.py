"""A sweep over its axes: how the difference to the vehicle depends on one or two of the varied quantities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.colors import LogNorm, Normalize
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, NullLocator
from matplotlib.tri import Triangulation

from bonesim.errors import InputError, closest
from bonesim.plot.style import BLACK, BLUE, GREY, RC, label_of, new_figure, styled
from bonesim.results.dataset import quantities, structure
from bonesim.scenario.problem import DOSED

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LARGEST = "largest_against_vehicle_percent"
COLOURS = "viridis"
"""From dark to light in even steps, so that it reads without colour too."""

SMOOTH = 4
"""Levels of an axis from which contours say more than tiles."""

MOST_CLASSES = 10
"""Classes of a quantity that takes any value, where members have to be averaged; fewer where there are few members."""

SMALL = 7.5
"""Size of numbers inside a map, points."""

WIDE = 30.0
"""Ratio of the largest to the smallest value from which contours stand at 1, 2, 5, 10, ..."""


SHORT = 100.0
"""Ratio of the largest to the smallest value below which powers of ten alone are too few ticks."""


class Varied(NamedTuple):
    """One axis of a design: label, values of all members, whether it is spaced by ratio, and its levels, if any."""

    label: str
    values: np.ndarray
    log: bool
    levels: np.ndarray


def plot_surface(study: xr.Dataset, output: str | None = None, summary: str = LARGEST) -> Figure:
    """A difference to the vehicle over the varied quantities of a sweep.

    One quantity gives a curve, two a map: contours where the members lie closely enough, else tiles. Of more than
    two those with the largest share of the variance are shown, the members averaged over the others; members without a
    result are left out, and the title counts them. The share of a quantity x is :math:`Var(E(y | x)) / Var(y)`.

    Parameters
    ----------
    study
        Result of a sweep, dimensions `(member, arm, time)`.
    output
        Which output; the first where it is left out.
    summary
        `largest_against_vehicle_percent`, `against_vehicle_percent` or `change_percent`.

    Raises
    ------
    InputError
        If the study has no such output or summary, or no member of it arrived.
    """
    names = quantities(study, role="output")
    output = output or names[0]
    if f"{output}_{summary}" not in study:
        raise InputError(f"the study has no {summary} of '{output}'", remedy=closest(output, names))
    variable = study[f"{output}_{summary}"].sel(arm=DOSED)
    y = variable.values
    known = np.isfinite(y)
    if not known.any():
        raise InputError(f"no member has a {summary} of '{output}'", remedy="see its status")
    varied = [Varied(one.label, one.values[known], one.log, one.levels) for one in _varied(study)]
    y = y[known]
    chosen = sorted(range(len(varied)), key=lambda number: -share(varied[number], y))[:2]
    others = [one.label for number, one in enumerate(varied) if number not in chosen]
    with styled():
        figure = new_figure(3.6, study.attrs.get("title", ""))
        axes = figure.add_subplot()
        if len(varied) == 1:
            _curve(axes, varied[0], y)
        else:
            _map(axes, varied[min(chosen)], varied[max(chosen)], y, bool(others))
        said = [f"mean over {', '.join(others)}"] if others else []
        missing = np.count_nonzero(~known)
        said += [f"{missing} of {len(known)} members have no result and are left out"] if missing else []
        axes.set_title("\n".join([label_of(variable), "; ".join(said)]).strip(), fontsize=RC["axes.labelsize"])
    return figure


def share(one: Varied, y: np.ndarray) -> float:
    """Part of the variance of `y` (member,) that the means over classes of one quantity have."""
    variance = float(np.var(y))
    if not variance:
        return 0.0
    _, place = _classes(one)
    counts = np.bincount(place)
    means = np.bincount(place, y) / np.maximum(counts, 1)
    return float(np.average((means - y.mean()) ** 2, weights=counts)) / variance


def _varied(study: xr.Dataset) -> list[Varied]:
    found = []
    for axis in structure(study, "design", {"axes": []})["axes"]:
        unit = "" if axis["unit"] == "dimensionless" else f" ({axis['unit']})"
        values = study[axis["path"]].values.astype(float)
        levels = np.sort(np.asarray(axis.get("levels", [])))
        found.append(Varied(f"{axis['label']}{unit}", values, axis["scale"] == "log", levels))
    return found


def _classes(one: Varied) -> tuple[np.ndarray, np.ndarray]:
    """Values that stand for the classes of a quantity, and the class of each member."""
    if len(one.levels):
        return one.levels, np.searchsorted(one.levels, one.values)
    count = int(np.clip(np.sqrt(len(one.values) / 4), 2, MOST_CLASSES))
    edges = np.quantile(one.values, np.linspace(0.0, 1.0, count + 1))
    place = np.clip(np.searchsorted(edges, one.values, side="right") - 1, 0, count - 1)
    return (edges[:-1] + edges[1:]) / 2, place


def _curve(axes: Axes, one: Varied, y: np.ndarray) -> None:
    order = np.argsort(one.values)
    marker = "o" if len(y) <= 60 else ""
    axes.axhline(0.0, color=GREY, linewidth=0.8, zorder=1)
    axes.plot(one.values[order], y[order], color=BLUE, marker=marker, markersize=4.0, zorder=3)
    axes.set_ylabel("percent of the vehicle")
    _scale_axes(axes, x=one)


def _map(axes: Axes, x: Varied, y: Varied, z: np.ndarray, averaged: bool) -> None:
    if (len(x.levels) and len(y.levels)) or averaged:
        _over_classes(axes, x, y, z)
    else:
        style = _levels(z)
        corners = Triangulation(_even(x), _even(y)).triangles
        shape = Triangulation(x.values, y.values, corners)
        _filled(axes, axes.tricontourf(shape, z, extend="both", **style))
        _labelled(axes, axes.tricontour(shape, z, **_lines(style)))
        _points(axes, x.values, y.values)
    _scale_axes(axes, x=x, y=y)
    axes.grid(False)


def _over_classes(axes: Axes, x: Varied, y: Varied, z: np.ndarray) -> None:
    """Means over the classes of two quantities: contours where both have enough of them, else tiles with numbers."""
    (columns, column), (rows, row) = _classes(x), _classes(y)
    place, tiles_count = row * len(columns) + column, len(rows) * len(columns)
    counts = np.bincount(place, minlength=tiles_count)
    with np.errstate(invalid="ignore"):
        means = (np.bincount(place, z, minlength=tiles_count) / counts).reshape(len(rows), len(columns))
    style = _levels(means[np.isfinite(means)])
    if min(len(rows), len(columns)) >= SMOOTH and counts.all():
        _filled(axes, axes.contourf(columns, rows, means, extend="both", **style))
        _labelled(axes, axes.contour(columns, rows, means, **_lines(style)))
        if len(x.levels) and len(y.levels):
            _points(axes, *np.meshgrid(columns, rows))
        return
    tiles = axes.pcolormesh(_edges(columns, x.log), _edges(rows, y.log), means, cmap=COLOURS, norm=style.get("norm"))
    _filled(axes, tiles)
    for number, value in enumerate(means.ravel().tolist()):
        if np.isfinite(value):
            row_number, column_number = divmod(number, len(columns))
            brightness = np.asarray(tiles.norm(np.array([value]))).item()
            place_of = columns.item(column_number), rows.item(row_number)
            axes.text(*place_of, _short(value), ha="center", va="center", color=_ink(brightness), fontsize=SMALL)


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 10.0 else f"{value:.2g}"


def _points(axes: Axes, x: np.ndarray, y: np.ndarray) -> None:
    """Where the members lie."""
    axes.plot(x.ravel(), y.ravel(), linestyle="", marker=".", markersize=2.0, color=BLACK, alpha=0.5, clip_on=False)


def _ink(brightness: float) -> str:
    """White on the dark part of the colours, black on the light one."""
    return BLACK if brightness > 0.5 else "white"


def _levels(z: np.ndarray) -> dict[str, Any]:
    """Contours at round values, by ratio where the range is wide and of one sign."""
    low, high = float(z.min()), float(z.max())
    if low > 0 and high / low > WIDE:
        decades = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
        steps = (decades[:, None] * np.array([1.0, 2.0, 5.0])).ravel()
        levels = steps[(steps >= low) & (steps <= high)]
        return {"levels": levels, "norm": LogNorm(low, high), "cmap": COLOURS}
    spread = (high - low) or abs(high) or 1.0
    levels = MaxNLocator(nbins=9, steps=[1, 2, 2.5, 5, 10]).tick_values(low, low + spread)
    return {"levels": levels, "cmap": COLOURS}


def _lines(style: dict[str, Any]) -> dict[str, Any]:
    """Lines at the same values, each in a colour that shows on its place."""
    levels = style["levels"]
    norm = style.get("norm") or Normalize(levels[0], levels[-1])
    return {"levels": levels, "colors": [_ink(float(norm(level))) for level in levels], "linewidths": 0.7}


def _labelled(axes: Axes, lines: Any) -> None:
    axes.clabel(lines, fmt="%g", fontsize=SMALL)


def _filled(axes: Axes, mappable: Any) -> None:
    figure = axes.get_figure(root=True)
    assert figure is not None
    bar = figure.colorbar(mappable, ax=axes, pad=0.03, format="%g")
    bar.set_label("percent of the vehicle")
    bar.ax.yaxis.set_minor_locator(NullLocator())


def _scale_axes(axes: Axes, x: Varied, y: Varied | None = None) -> None:
    """Labels and scales; ticks at the levels where they are few."""
    for axis, one, scale, label in (
        (axes.xaxis, x, axes.set_xscale, axes.set_xlabel),
        *(((axes.yaxis, y, axes.set_yscale, axes.set_ylabel),) if y else ()),
    ):
        if one.log:
            scale("log")
            if one.values.max() < SHORT * one.values.min():
                axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axis.set_major_formatter("{x:g}")
            axis.set_minor_formatter(NullFormatter())
        if 0 < len(one.levels) <= 7:
            axis.set_ticks(one.levels, [f"{level:.4g}" for level in one.levels])
            axis.set_minor_locator(NullLocator())
        label(one.label)


def _even(one: Varied) -> np.ndarray:
    """Values on the scale of the axis, from 0 to 1, so that triangles are not slivers."""
    values = np.log(one.values) if one.log else one.values
    return np.asarray((values - values.min()) / (np.ptp(values) or 1.0))


def _edges(levels: np.ndarray, log: bool) -> np.ndarray:
    """Borders of tiles half-way between levels."""
    at = np.log(levels) if log else levels
    if len(at) == 1:
        at = np.array([at[0] - 0.5, at[0] + 0.5])
    else:
        middle = (at[:-1] + at[1:]) / 2
        at = np.concatenate(([2 * at[0] - middle[0]], middle, [2 * at[-1] - middle[-1]]))
    return np.asarray(np.exp(at) if log else at)
