"""Sums over the stages of a step, in the order of the stages for every state and lane."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def add_up(factors: Sequence[float] | np.ndarray, stages: np.ndarray, out: np.ndarray) -> None:
    """sum_j factors_j stages_j into `out`, (state, lane); factors are (stage,), or (stage, lane).

    Stages beyond the factors do not count.
    """
    factors = np.asarray(factors)
    stages, form = stages[: len(factors)], "j,jsl->sl" if factors.ndim == 1 else "jl,jsl->sl"
    if out.size > 1:
        np.einsum(form, factors, stages, out=out)
    else:  # a single column is summed as a scalar product, in an order of its own
        factors = factors if factors.ndim == 1 else np.repeat(factors, 2, axis=1)
        out[:] = np.einsum(form, factors, np.repeat(stages, 2, axis=2))[:, :1]
