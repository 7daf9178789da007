"""Bone cells over time: precursors, osteoblasts and osteoclasts, each against its number at the start."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from bonesim.errors import InputError
from bonesim.plot.course import draw_course, draw_points, finish_courses
from bonesim.plot.doses import told_apart
from bonesim.plot.style import (
    GREY,
    RC,
    arm_styles,
    label_of,
    new_figure,
    styled,
    time_axis,
)
from bonesim.results.dataset import days_of, quantities
from bonesim.results.members import stated

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CELLS = ("OBp", "OBa", "OCa")


def cell_names(dataset: xr.Dataset) -> list[str]:
    """The cells of `CELLS` that a result has, under the name of the variable (`OBa` or `core.OBa`)."""
    names = quantities(dataset)
    found = (next((name for name in names if name.rpartition(".")[2] == cell), None) for cell in CELLS)
    return [name for name in found if name]


def plot_cells(dataset: xr.Dataset) -> Figure:
    """One panel a cell with all arms: change from the start in percent, of each draw from its own start.

    Parameters
    ----------
    dataset
        Result of a scenario, dimensions `(arm, time)` or `(arm, member, time)`.

    Raises
    ------
    InputError
        If the result has none of the cells.
    """
    names = cell_names(dataset)
    if not names:
        raise InputError("the result has no bone cells", remedy="add 'OBp', 'OBa' or 'OCa' to the outputs")
    dataset = told_apart(dataset)
    with styled():
        figure = new_figure(1.1 + 1.5 * len(names), dataset.attrs.get("title", ""))
        panels = figure.subplots(len(names), sharex=True, squeeze=False)[:, 0]
        for panel, name in zip(panels, names, strict=True):
            _draw(panel, dataset, name)
        figure.supylabel("change from the start (%)", fontsize=RC["axes.labelsize"])
        finish_courses(list(panels), dataset)
    return figure


def _draw(axes: Axes, dataset: xr.Dataset, name: str) -> None:
    days = days_of(dataset)
    axis = time_axis(float(days[-1] - days[0]))
    axes.axhline(0.0, color=GREY, linewidth=0.8, zorder=1)
    for arm, style in arm_styles([str(arm) for arm in dataset["arm"].values]).items():
        start = stated(dataset)[name].sel(arm=arm).values[0]
        draw_course(axes, dataset, name, arm, axis.days, style, lambda values: _change(values, values[..., :1]))
        draw_points(axes, dataset, name, arm, axis.days, style, partial(_change, start=start))
    axes.margins(y=0.12)
    label = label_of(dataset[name])
    axes.set_title(label if label == name else f"{label} ({name})")
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 3, 4, 5, 10]))


def _change(values: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Percent by which values lie above the start."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(100.0 * (values / start - 1.0))
