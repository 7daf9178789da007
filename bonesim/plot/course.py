"""What an arm looks like in a figure of courses: its line, the band of its draws, and what was measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import Patch

from bonesim.plot.doses import UNTREATED, dose_marks, draw_dose_marks
from bonesim.plot.style import GREY, LineStyle, arm_styles, legend_below, set_time_axis, time_axis
from bonesim.results.arms import vehicle_of
from bonesim.results.dataset import days_of, structure
from bonesim.results.members import QUANTILES, STATED, has_draws, quantiles, stated
from bonesim.scenario.problem import DOSED, VEHICLE

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

FAINT = 0.16
"""How much of a band's colour covers what is below it."""

EDGE = 0.6
"""The same of the edges of a band, which are drawn where there are many."""

Shown = Callable[[np.ndarray], np.ndarray]
"""From values (..., time) to what stands on the axis."""

Difference = Callable[["xr.Dataset", str], np.ndarray | None]
"""From a result and an arm to what the arm differs by from its vehicle, (..., time)."""


def draw_course(
    axes: Axes, dataset: xr.Dataset, name: str, arm: str, days: float, style: LineStyle, shown: Shown
) -> None:
    """One arm of one quantity: a line with the stated values, and a band of the draws where the arm is `banded`.

    `days` is the unit of the time axis; `shown` turns courses of the quantity into what is drawn.
    """
    times = days_of(dataset) / days
    line = dataset[f"{name}_{STATED}"] if has_draws(dataset) else dataset[name]
    if arm in banded(dataset):
        low, _, high = quantiles(shown(dataset[name].sel(arm=arm).values))
        draw_band(axes, times, low, high, style.color, 1)
    axes.plot(times, shown(line.sel(arm=arm).values), label=arm, zorder=3, **style._asdict())


def banded(dataset: xr.Dataset) -> list[str]:
    """Arms with a band of their own: of more than two those that every scenario has, since bands cover each other."""
    arms = [str(arm) for arm in dataset["arm"].values] if has_draws(dataset) else []
    return arms if len(arms) <= 2 else [arm for arm in arms if arm in (DOSED, VEHICLE)]


def above_vehicle(name: str, dataset: xr.Dataset, arm: str) -> np.ndarray | None:
    """(..., time) an arm minus its vehicle, of each draw minus its own; None where there is none."""
    if name not in dataset or (against := vehicle_of(dataset, name)) is None:
        return None
    return np.asarray(dataset[name].sel(arm=arm).values.astype(float) - against.sel(arm=arm).values)


def against_vehicle(name: str, dataset: xr.Dataset, arm: str) -> np.ndarray | None:
    """The same in percent of the vehicle."""
    difference, against = above_vehicle(name, dataset, arm), vehicle_of(dataset, name)
    if difference is None or against is None:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(100.0 * difference / np.abs(against.sel(arm=arm).values))


def differ(dataset: xr.Dataset, difference: Difference, least: float) -> bool:
    """Whether stated values of some treated arm differ from its vehicle by more than `least` at any time."""
    treated = (str(arm) for arm in dataset["arm"].values if arm != VEHICLE)
    lines = stated(dataset)
    changes = (difference(lines, arm) for arm in treated)
    return any(change is not None and bool((np.abs(change[np.isfinite(change)]) > least).any()) for change in changes)


def draw_differences(axes: Axes, dataset: xr.Dataset, difference: Difference) -> None:
    """Every treated arm against its vehicle, with a band of the draws."""
    days = days_of(dataset)
    times = days / time_axis(float(days[-1] - days[0])).days
    styles = arm_styles([str(arm) for arm in dataset["arm"].values])
    lines = stated(dataset)
    axes.axhline(0.0, color=GREY, linewidth=0.8, zorder=1)
    for arm, style in styles.items():
        change, drawn = (difference(one, arm) for one in (lines, dataset))
        if arm == VEHICLE or change is None or drawn is None:
            continue
        if has_draws(dataset):
            low, _, high = quantiles(drawn)
            draw_band(axes, times, low, high, style.color, len(styles) - 1)
        axes.plot(times, change, zorder=3, **style._asdict())
    axes.margins(y=0.1)


def draw_band(axes: Axes, times: np.ndarray, low: np.ndarray, high: np.ndarray, colour: str, bands: int) -> None:
    """One of so many bands that lie over each other: the more, the fainter, and then with edges."""
    axes.fill_between(times, low, high, color=colour, alpha=FAINT / bands, linewidth=0.0, zorder=2)
    for edge in (low, high) if bands > 1 else ():
        axes.plot(times, edge, color=colour, alpha=EDGE, linewidth=0.8, zorder=2)


def draw_points(
    axes: Axes, dataset: xr.Dataset, name: str, arm: str, days: float, style: LineStyle, shown: Shown
) -> None:
    """What was measured of a quantity in an arm: points, with bars from low to high or one sd to both sides."""
    for point in structure(dataset, "data", []):
        if point["output"] != name or arm not in (point["arm"], UNTREATED):
            continue
        value, sd = point["value"], point["sd"] or 0.0
        low = value - sd if point["low"] is None else point["low"]
        high = value + sd if point["high"] is None else point["high"]
        bottom, middle, top = shown(np.array([low, value, high]))
        bars = [[max(middle - bottom, 0.0)], [max(top - middle, 0.0)]]
        axes.errorbar(
            point["time_day"] / days,
            middle,
            yerr=bars,
            fmt="o",
            markersize=4.0,
            markeredgecolor="white",
            markeredgewidth=0.6,
            elinewidth=1.0,
            capsize=2.0,
            color=style.color,
            zorder=5,
            clip_on=False,  # at the end of the run a point lies on the edge
        )


def band_handles(dataset: xr.Dataset, where: str = "") -> list[Artist]:
    """What a legend says of bands about courses, and `where` these are; nothing where there are none."""
    arms = banded(dataset)
    return legend_of_bands(dataset, f" ({where}{' and '.join(arms)})" if len(arms) < dataset.sizes["arm"] else "")


def legend_of_bands(dataset: xr.Dataset, whose: str = "") -> list[Artist]:
    """The same, with the arms that have one."""
    label = f"{QUANTILES[0]} to {QUANTILES[-1]} % of the draws{whose}; lines: stated values"
    return [Patch(color=GREY, alpha=2 * FAINT, linewidth=0.0, label=label)] if has_draws(dataset) else []


def finish_courses(panels: Sequence[Axes], dataset: xr.Dataset) -> None:
    """Time below panels that share it, doses above the first, and one legend for all."""
    days = days_of(dataset)
    axis = time_axis(float(days[-1] - days[0]))
    arms, _ = panels[0].get_legend_handles_labels()
    set_time_axis(panels[-1], axis, days[0], days[-1])
    doses = draw_dose_marks(panels[0], dose_marks(dataset), axis.days)
    legend_below(panels[-1], [*arms, *band_handles(dataset), *doses])
