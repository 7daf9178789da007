"""Healing of a gap in bone over time: inflammation, cartilage, vessels and new bone of every arm."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from bonesim.errors import InputError
from bonesim.plot.course import above_vehicle, differ, draw_course, draw_differences, draw_points, finish_courses
from bonesim.plot.doses import told_apart
from bonesim.plot.style import arm_styles, label_of, new_figure, styled, time_axis
from bonesim.results.dataset import days_of, quantities

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COURSE = ("inflammation", "cartilage", "callus_vessels", "new_bone")
SHARES = COURSE[1:]
"""Those that are shares of the gap, shown in percent of it."""

SEEN = 0.1
"""Difference to the vehicle, in percent of the gap, below which two lines are one for any reader."""


def healing_names(dataset: xr.Dataset) -> list[str]:
    """What a result has of `COURSE`, under the name of the variable, if new bone is among it."""
    names = quantities(dataset)
    found = [next((name for name in names if name.rpartition(".")[2] == one), None) for one in COURSE]
    return [name for name in found if name] if found[-1] else []


def plot_healing(dataset: xr.Dataset) -> Figure:
    """One panel a quantity with all arms, in the order in which they come: inflammation first, bone last.

    Where arms were treated, one more panel below has what they differ by from the vehicle in bone.

    Parameters
    ----------
    dataset
        Result of a scenario, dimensions `(arm, time)` or `(arm, member, time)`.

    Raises
    ------
    InputError
        If the result has no new bone.
    """
    names = healing_names(dataset)
    if not names:
        raise InputError("the result has no healing gap", remedy="add 'new_bone' to the outputs")
    dataset = told_apart(dataset)
    with styled():
        more_bone = partial(_more_bone, names[-1])
        apart = differ(dataset, more_bone, SEEN)
        count = len(names) + apart
        figure = new_figure(1.1 + 1.5 * count, dataset.attrs.get("title", ""))
        panels = figure.subplots(count, sharex=True, squeeze=False)[:, 0]
        for panel, name in zip(panels, names, strict=False):
            _draw(panel, dataset, name)
        if apart:
            draw_differences(panels[-1], dataset, more_bone)
            panels[-1].set_title(f"{label_of(dataset[names[-1]])}, against vehicle")
            panels[-1].set_ylabel("% of the gap")
        finish_courses(list(panels), dataset)
    return figure


def _more_bone(name: str, dataset: xr.Dataset, arm: str) -> np.ndarray | None:
    """(..., time) what an arm differs by from its vehicle, in percent of the gap."""
    difference = above_vehicle(name, dataset, arm)
    return None if difference is None else 100.0 * difference


def _draw(axes: Axes, dataset: xr.Dataset, name: str) -> None:
    days = days_of(dataset)
    axis = time_axis(float(days[-1] - days[0]))
    share = name.rpartition(".")[2] in SHARES
    shown = partial(np.multiply, 100.0 if share else 1.0)
    for arm, style in arm_styles([str(arm) for arm in dataset["arm"].values]).items():
        draw_course(axes, dataset, name, arm, axis.days, style, shown)
        draw_points(axes, dataset, name, arm, axis.days, style, shown)
    axes.margins(y=0.08)
    axes.set_ylim(bottom=0.0)
    axes.set_title(label_of(dataset[name]))
    axes.set_ylabel("% of the gap" if share else "relative")
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 4, 5, 10]))
