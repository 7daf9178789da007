"""How accurate a solution is: solve once more with a tighter tolerance, and look at the difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bonesim.errors import InputError, Place
from bonesim.results.dataset import ESTIMATE
from bonesim.solve.integrate import integrate
from bonesim.solve.settings import Settings
from bonesim.solve.solution import Solution
from bonesim.solve.status import Status
from bonesim.system import Batch, Kernels

if TYPE_CHECKING:
    import xarray as xr

TIGHTER, TIGHTEST = 1e-2, 1e-12


def tightened(settings: Settings) -> Settings:
    """Tolerances a hundredth of those given, rtol not below 1e-12.

    Raises
    ------
    InputError
        If there is no room below the tolerance.
    """
    rtol = max(TIGHTER * settings.rtol, TIGHTEST)
    if rtol >= settings.rtol:
        problem = f"{settings.rtol:g} leaves no room for a tighter solution to compare with"
        raise InputError(problem, place=Place(key="rtol"), remedy="an rtol of 1e-11 or more")
    atol = None if settings.atol is None else np.asarray(settings.atol) * (rtol / settings.rtol)
    return replace(settings, rtol=rtol, atol=atol)


def error_estimates(
    kernels: Kernels, batch: Batch, settings: Settings, solution: Solution, threads: int | None = None
) -> np.ndarray:
    r"""(observable, member) the error of a solution as a tighter one shows it.

    :math:`\max_t |y - \hat y| / \max_t |\hat y|` with :math:`\hat y` from a hundredth of the tolerance, whose own error
    is far smaller; 0 for what is 0 throughout, NaN for a member that failed in either solution.
    """
    finer = integrate(kernels, batch, tightened(settings), threads=threads)
    with np.errstate(all="ignore"):
        # Nothing stands behind the end of a member that an event of the model ended.
        difference, size = (np.fmax.reduce(np.abs(part)) for part in (solution.y - finer.y, finer.y))
        estimates = np.where(difference == 0, 0.0, difference / size)
    arrived = [Status(a).arrived and Status(b).arrived for a, b in zip(solution.status, finer.status, strict=True)]
    estimates[:, ~np.array(arrived)] = np.nan
    return np.asarray(estimates)


def with_estimates(dataset: xr.Dataset, names: Sequence[str], estimates: np.ndarray, settings: Settings) -> xr.Dataset:
    """The dataset with `error_estimate` at each variable of `names`: the largest of all members that can be compared.

    `estimates` is (name, member). The attribute `accuracy_rtol` of the dataset is the tolerance compared with, and
    `accuracy_members` says how many members could be compared.
    """
    compared = ~np.isnan(estimates).any(axis=0)
    for name, row in zip(names, estimates[:, compared], strict=False):
        dataset[name].attrs[ESTIMATE] = float(row.max(initial=0.0)) if compared.any() else float("nan")
    dataset.attrs |= {"accuracy_rtol": tightened(settings).rtol, "accuracy_members": int(compared.sum())}
    return dataset
