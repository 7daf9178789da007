"""The one entry of the solver: kernels, a batch and settings in, a solution out."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np

from bonesim.errors import InternalError
from bonesim.solve.driver import Lanes
from bonesim.solve.settings import Settings, default_atol
from bonesim.solve.solution import Solution
from bonesim.system import Batch, Kernels

LANES = 256
"""Members under way together in one thread: enough to spread the cost of a turn, few enough for the cache."""


def integrate(
    kernels: Kernels,
    batch: Batch,
    settings: Settings | None = None,
    *,
    lanes: int = LANES,
    threads: int | None = None,
) -> Solution:
    """Solve every member of a batch from `t_out[0]` to `t_out[-1]`.

    Each member keeps its own time, step size, events and output pointer, so that its numbers do not depend on
    its neighbours or on how many members there are. At most `lanes` members are under way together; as soon as
    one ends, the next takes its lane. Timed events are hard stops: a step ends on them and the next begins
    with the values after them; an output at the time of an event is the value after it. Several `threads` (all
    processors where it is None) share the members out among them; small batches stay with one.

    Returns a `Solution`; a member that fails carries status, stop time and cause, and never stops the others.
    """
    settings = settings or Settings()
    if kernels.step is not None and kernels.step.method != settings.tableau.name:
        raise InternalError(f"the kernels step by {kernels.step.method}, not by {settings.tableau.name}")
    with np.errstate(all="ignore"):
        solution = Solution.empty(batch.t_out, len(kernels.layout.observables), _atol(kernels, batch, settings))
    shares = _shares(batch.members, lanes, threads or os.cpu_count() or 1)

    def run(share: slice) -> None:
        with np.errstate(all="ignore"):
            part, members = solution.part(share), batch.part(share)
            Lanes(kernels, members, settings, part, width=min(lanes, members.members)).run()
            solution.cause.update({share.start + member: text for member, text in part.cause.items()})

    if len(shares) == 1:
        run(shares[0])
    else:
        with ThreadPoolExecutor(len(shares)) as pool:
            list(pool.map(run, shares))
    return solution


def _shares(members: int, lanes: int, threads: int) -> list[slice]:
    """Members of each thread, in order; as many threads as have lanes to fill."""
    count = max(1, min(threads, members // lanes))
    edges = [members * number // count for number in range(count + 1)]
    return [slice(start, stop) for start, stop in pairwise(edges)]


def _atol(kernels: Kernels, batch: Batch, settings: Settings) -> np.ndarray:
    """(state, member) absolute tolerances: those asked for, or derived from each member's own values."""
    if settings.atol is None:
        return default_atol(settings.rtol, _size(kernels, batch))
    atol = np.asarray(settings.atol, float)
    return np.broadcast_to(atol if atol.ndim == 2 else atol.reshape(-1, 1), batch.initial.shape)


def _size(kernels: Kernels, batch: Batch) -> np.ndarray:
    """(state, member) the size each state is known to take: at the start, or right after one of its events."""
    parameters, y = batch.parameters.copy(), batch.initial.copy()
    start, size = np.zeros(batch.members), np.abs(y)
    for event in range(len(kernels.layout.events)):
        kernels.functions.fire(event, start, y, parameters, tuple(kernels.constants(parameters)))
        size = np.maximum(size, np.abs(y))
    return np.where(np.isfinite(size), size, 0.0)
