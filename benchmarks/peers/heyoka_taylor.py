"""heyoka's batch mode: Taylor series of high order, as many members at a time as a vector register holds.

The equations become heyoka's own expressions; states are taken over their size, since its tolerance is relative to the
largest of them. Compiled anew for every tolerance, because the order follows from it; that is not timed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import heyoka
import numpy as np

from benchmarks.graph import ARITHMETIC, rates
from benchmarks.peers import Run, Solver
from benchmarks.problems import Task
from benchmarks.segments import Jumps, Segment, segments


def _piecewise(*parts: Any) -> Any:
    value = parts[-1]
    for result, condition in zip(parts[-3::-2], parts[-2::-2], strict=True):
        value = heyoka.select(condition, result, value)
    return value


OPERATORS: dict[str, Callable[..., Any]] = {
    **ARITHMETIC,
    **{name: getattr(heyoka, name) for name in ("exp", "sqrt", "sin", "cos", "tan", "tanh")},
    "ln": heyoka.log,
    "min": lambda a, b: heyoka.select(heyoka.lt(a, b), a, b),
    "max": lambda a, b: heyoka.select(heyoka.gt(a, b), a, b),
    "lt": heyoka.lt,
    "le": heyoka.lte,
    "gt": heyoka.gt,
    "ge": heyoka.gte,
    "piecewise": _piecewise,
}


def prepare(task: Task) -> Solver:
    """Write the equations as heyoka's expressions."""
    scaled = heyoka.make_vars(*(f"x{row}" for row in range(len(task.sizes))))
    states = [float(size) * x for size, x in zip(task.sizes, scaled, strict=True)]
    parameters = [heyoka.par[row] for row in range(len(task.parameters))]
    slopes = rates(task.model, OPERATORS, states, parameters, heyoka.time)
    system = [(x, slope / float(size)) for x, slope, size in zip(scaled, slopes, task.sizes, strict=True)]
    stretches, jumps, width = segments(task), Jumps(task), heyoka.recommended_simd_size()

    def at(rtol: float) -> Run:
        zeros = np.zeros((len(states), width)), np.zeros((len(parameters), width))
        integrator = heyoka.taylor_adaptive_batch(system, zeros[0], pars=zeros[1], tol=rtol)

        def run() -> np.ndarray:
            y, p = task.initial.copy(), task.parameters.copy()
            out = np.empty((task.count, len(task.problem.outputs), len(task.t_out)))
            for segment in stretches:
                jumps(segment, y, p)
                for first in range(0, task.count, width):
                    lanes = np.minimum(np.arange(first, first + width), task.count - 1)
                    course = _solve(integrator, segment, task, y[:, lanes], p[:, lanes])
                    out[lanes, :, segment.outputs] = course[:-1].transpose(2, 1, 0)
                    y[:, lanes] = course[-1]
            return out

        return run

    return at


def _solve(integrator: Any, segment: Segment, task: Task, y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """(time, state, lane) at the output times of a segment, and at its end."""
    sizes = task.sizes[:, np.newaxis]
    integrator.set_time(segment.start)
    integrator.state[:], integrator.pars[:] = y / sizes, p
    inside = task.t_out[segment.outputs]
    times = np.unique([segment.start, *inside, segment.end])
    course = integrator.propagate_grid(np.repeat(times[:, np.newaxis], y.shape[1], axis=1))[1] * sizes
    return np.concatenate([course[np.searchsorted(times, inside)], course[-1:]])
