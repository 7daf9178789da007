"""All figures that a result allows, as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bonesim.plot.cells import cell_names, plot_cells
from bonesim.plot.compartments import exposure_groups
from bonesim.plot.exposure import plot_exposure
from bonesim.plot.fan import plot_fan
from bonesim.plot.healing import healing_names, plot_healing
from bonesim.plot.measured import measured_names, plot_measured
from bonesim.plot.outcome import bone_volume_name, plot_bone_volume
from bonesim.plot.style import styled
from bonesim.plot.surface import LARGEST, plot_surface
from bonesim.results.dataset import quantities

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

DPI = 150

FIGURES = {
    "bone_volume": (bone_volume_name, plot_bone_volume),
    "cells": (cell_names, plot_cells),
    "healing": (healing_names, plot_healing),
    "exposure": (exposure_groups, plot_exposure),
    "data": (measured_names, plot_measured),
}
"""Name of the file -> what a result must have for it, and the function that draws it."""


def save_figure(figure: Figure, path: Path) -> Path:
    """Write one figure as PNG; returns its file."""
    with styled():
        figure.savefig(path, dpi=DPI)
    return path


def save_figures(dataset: xr.Dataset, folder: Path) -> list[Path]:
    """Draw every figure for which the result has the quantities, as PNG; returns the files.

    Parameters
    ----------
    dataset
        Result of a scenario, dimensions `(arm, time)`.
    folder
        Where to; it exists.
    """
    files = []
    for name, (needed, plot) in FIGURES.items():
        if needed(dataset):
            files.append(save_figure(plot(dataset), folder / f"{name}.png"))
    return files


def save_study_figures(study: xr.Dataset, folder: Path, stem: str) -> list[Path]:
    """Draw the figures of a sweep, as PNG called `STEM_fan.png` and `STEM_surface.png`; returns the files.

    Where no member arrived there is nothing to draw.

    Parameters
    ----------
    study
        Result of a sweep, dimensions `(member, arm, time)`.
    folder
        Where to; it exists.
    stem
        How the names of the files begin.
    """
    files: list[Path] = []
    first = quantities(study, role="output")[0]
    if not np.isfinite(study[f"{first}_{LARGEST}"].values).any():
        return files
    for name, plot in {"fan": plot_fan, "surface": plot_surface}.items():
        files.append(save_figure(plot(study), folder / f"{stem}_{name}.png"))
    return files
