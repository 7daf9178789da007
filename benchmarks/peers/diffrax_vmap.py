"""diffrax on JAX (CPU, 64 bits): one `diffeqsolve` over all members by `vmap`, compiled once, restarted at every dose.

States are solved over their size, so that one absolute tolerance fits all. Members step together: a batched loop in JAX
runs as long as its slowest member does.
"""

from __future__ import annotations

from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.graph import ARITHMETIC, rates
from benchmarks.peers import Run, Solver
from benchmarks.problems import ATOL_OF_SIZE, Task
from benchmarks.segments import Jumps, Segment, segments

jax.config.update("jax_enable_x64", True)


def _piecewise(*parts: Any) -> Any:
    value = parts[-1]
    for result, condition in zip(parts[-3::-2], parts[-2::-2], strict=True):
        value = jnp.where(condition, result, value)
    return value


OPERATORS = {
    **ARITHMETIC,
    **{
        name: getattr(jnp, name)
        for name in ("exp", "log10", "sqrt", "abs", "sin", "cos", "tan", "tanh", "floor", "ceil")
    },
    "ln": jnp.log,
    "min": jnp.minimum,
    "max": jnp.maximum,
    "lt": jnp.less,
    "le": jnp.less_equal,
    "gt": jnp.greater,
    "ge": jnp.greater_equal,
    "and": jnp.logical_and,
    "or": jnp.logical_or,
    "not": jnp.logical_not,
    "piecewise": _piecewise,
}


def solver(task: Task, method: diffrax.AbstractSolver[Any]) -> Solver:
    """The task by one of diffrax's methods."""
    stretches, jumps, advance = segments(task), Jumps(task), _advance(task, method)

    def at(rtol: float) -> Run:
        def run() -> np.ndarray:
            y, p = task.initial.copy(), task.parameters.copy()
            out = np.empty((task.count, len(task.problem.outputs), len(task.t_out)))
            for segment in stretches:
                jumps(segment, y, p)
                times = _padded(segment, task)
                course = (
                    np.asarray(advance(rtol, segment.start, segment.end, times, y.T / task.sizes, p.T)) * task.sizes
                )
                wanted = segment.outputs.stop - segment.outputs.start
                out[:, :, segment.outputs] = course[:, :wanted].transpose(0, 2, 1)
                y[:] = course[:, -1].T
            return out

        return run

    return at


def _advance(task: Task, method: diffrax.AbstractSolver[Any]) -> Any:
    """One stretch of all members, compiled: (member, time, state) over the size of each state."""
    sizes = jnp.asarray(task.sizes)

    def field(t: Any, y: Any, p: Any) -> Any:
        return jnp.stack(rates(task.model, OPERATORS, list(y * sizes), list(p), t)) / sizes

    def one(rtol: Any, start: Any, end: Any, times: Any, y: Any, p: Any) -> Any:
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(field),
            method,
            start,
            end,
            None,
            y,
            p,
            saveat=diffrax.SaveAt(ts=times),
            stepsize_controller=diffrax.PIDController(rtol, ATOL_OF_SIZE * rtol),
            max_steps=None,
        )
        return solution.ys

    return jax.jit(jax.vmap(one, in_axes=(None, None, None, None, 0, 0)))


def _padded(segment: Segment, task: Task) -> np.ndarray:
    """The output times of a segment, then its end, repeated: one length for all, so that one compilation does."""
    times = task.t_out[segment.outputs]
    return np.concatenate([times, np.full(len(task.t_out) + 1 - len(times), segment.end)])
