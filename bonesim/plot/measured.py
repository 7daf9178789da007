"""Measurements against the run: one panel an output that was measured."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from bonesim.errors import InputError
from bonesim.plot.course import band_handles, draw_course, draw_points
from bonesim.plot.doses import dose_marks, draw_dose_marks
from bonesim.plot.outcome import shown_unit
from bonesim.plot.style import arm_styles, label_of, legend_below, new_figure, set_time_axis, styled, time_axis
from bonesim.results.dataset import days_of, structure

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure


def measured_names(dataset: xr.Dataset) -> list[str]:
    """The outputs of which a result has measurements, in order of the first of each."""
    return list(dict.fromkeys(point["output"] for point in structure(dataset, "data", [])))


def plot_measured(dataset: xr.Dataset) -> Figure:
    """Courses of all arms with the measurements of each in its colour: bars from low to high, or one sd to both sides.

    Parameters
    ----------
    dataset
        Result of a scenario, dimensions `(arm, time)` or `(arm, member, time)`, with measurements.

    Raises
    ------
    InputError
        If the result has no measurements.
    """
    names = measured_names(dataset)
    if not names:
        raise InputError("the result has no measurements", remedy="bonesim run SCENARIO --data MEASURED.csv")
    days = days_of(dataset)
    axis = time_axis(float(days[-1] - days[0]))
    with styled():
        figure = new_figure(1.1 + 1.8 * len(names), dataset.attrs.get("title", ""))
        panels = list(figure.subplots(len(names), sharex=True, squeeze=False)[:, 0])
        for panel, name in zip(panels, names, strict=True):
            scale, unit = shown_unit(name, dataset[name].attrs["units"])
            for arm, style in arm_styles([str(arm) for arm in dataset["arm"].values]).items():
                draw_course(panel, dataset, name, arm, axis.days, style, partial(np.multiply, scale))
                draw_points(panel, dataset, name, arm, axis.days, style, partial(np.multiply, scale))
            panel.margins(y=0.1)
            panel.set_title(f"{label_of(dataset[name])}{unit}")
            panel.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]))
        set_time_axis(panels[-1], axis, days[0], days[-1])
        arms, _ = panels[0].get_legend_handles_labels()
        marks = draw_dose_marks(panels[0], dose_marks(dataset), axis.days)
        legend_below(panels[-1], [*arms, *band_handles(dataset), *marks])
    return figure
