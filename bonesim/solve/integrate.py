"""The one entry of the solver: kernels, a batch and settings in, a solution out."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
from numpy.typing import DTypeLike

from bonesim.errors import InputError, InternalError
from bonesim.solve.driver import Lanes
from bonesim.solve.history import FIRST_ROOM
from bonesim.solve.settings import Settings, check_threads, default_atol
from bonesim.solve.solution import Memory, Solution
from bonesim.solve.status import Status, told
from bonesim.system import Batch, Kernels, Layout

CHUNK = 1 << 14
"""Members whose tolerances are derived together: a million at once would hold all their parameters twice."""

WORKING_SET = 1 << 25
"""Bytes that the loop in NumPy works on: what a core finds near it in a cache that it shares."""

FEWEST_LANES, MOST_LANES = 256, 8192
"""A call of NumPy costs as much as its work on some 1,000 numbers; lanes beyond those of a batch cost nothing."""


def integrate(
    kernels: Kernels,
    batch: Batch,
    settings: Settings | None = None,
    *,
    lanes: int | None = None,
    threads: int | None = None,
    dtype: DTypeLike = np.float64,
    memory: Memory | None = None,
) -> Solution:
    """Solve every member of a batch from `t_out[0]` to `t_out[-1]`.

    Each member keeps its own time, step size, events and output pointer, so that its numbers do not depend on
    its neighbours or on how many members there are. Timed events are hard stops: a step ends on them and the next
    begins with the values after them; an output at the time of an event is the value after it.

    At most `lanes` members are under way together in the loop in NumPy, by default as many as its cache holds; as soon
    as one ends, the next takes its lane. Several `threads` share the members out among them: by default all
    processors in a compiled loop, and one in NumPy, whose calls are too short to run beside others.

    Who solves many batches and keeps the outputs of none hands the same `memory` to all of them.

    Returns a `Solution`; a member that fails carries status, stop time and cause, and never stops the others.
    """
    settings = settings or Settings()
    check_threads(threads)
    if kernels.loop is not None and kernels.loop.method != settings.tableau.name:
        raise InternalError(f"the kernels step by {kernels.loop.method}, not by {settings.tableau.name}")
    with np.errstate(all="ignore"):
        atol = _atol(kernels, batch, settings)
    solution = Solution.empty(batch.t_out, len(kernels.layout.observables), atol, dtype, memory)
    if kernels.loop is None:
        _run_plain(kernels, batch, settings, solution, lanes or lanes_for(kernels.layout, settings), threads or 1)
    elif batch.members:
        threads = min(threads or os.cpu_count() or 1, batch.members)
        kernels.loop.run(batch, solution, rtol=settings.rtol, max_steps=settings.max_steps, threads=threads)
    solution.cause.update(_causes(kernels.layout, solution))
    return solution


def _run_plain(
    kernels: Kernels, batch: Batch, settings: Settings, solution: Solution, lanes: int, threads: int
) -> None:
    """The loop in NumPy, each share of the members in a thread of its own."""

    def run(share: slice) -> None:
        with np.errstate(all="ignore"):
            members = batch.part(share)
            Lanes(kernels, members, settings, solution.part(share), width=min(lanes, members.members)).run()

    shares = _shares(batch.members, lanes, threads)
    if len(shares) == 1:
        run(shares[0])
    else:
        with ThreadPoolExecutor(len(shares)) as pool:
            list(pool.map(run, shares))


def lanes_for(layout: Layout, settings: Settings) -> int:
    """Members under way together in NumPy: enough to spread the cost of its calls, few enough for the cache."""
    rows = (settings.tableau.stages + 10) * len(layout.states) + len(layout.pattern) + layout.factors
    rows += len(layout.parameters) + layout.kept
    if layout.lags:
        rows += FIRST_ROOM * (2 + len(settings.tableau.H)) * len(layout.states)
    return min(max(1 << (WORKING_SET // (8 * max(rows, 1))).bit_length() - 1, FEWEST_LANES), MOST_LANES)


def _shares(members: int, lanes: int, threads: int) -> list[slice]:
    """Members of each thread, in order; as many threads as have lanes to fill."""
    count = max(1, min(threads, members // lanes))
    edges = [members * number // count for number in range(count + 1)]
    return [slice(start, stop) for start, stop in pairwise(edges)]


def _atol(kernels: Kernels, batch: Batch, settings: Settings) -> np.ndarray:
    """(state, member) absolute tolerances: those asked for, or derived from each member's own values."""
    if settings.atol is None:
        derived = np.empty(batch.initial.shape)
        for first in range(0, batch.members, CHUNK):
            part = slice(first, first + CHUNK)
            derived[:, part] = default_atol(settings.rtol, known_size(kernels, batch.part(part)))
        return derived
    atol = np.asarray(settings.atol, float)
    states, members = batch.initial.shape
    if atol.shape not in {(), (1,), (states,), (states, 1), (states, members)}:
        problem = f"atol has shape {atol.shape}, where the model has {states} states"
        raise InputError(problem, remedy="one number, or one for each state")
    return np.array(np.broadcast_to(atol if atol.ndim == 2 else atol.reshape(-1, 1), batch.initial.shape))


def known_size(kernels: Kernels, batch: Batch) -> np.ndarray:
    """(state, member) the size each state is known to take: at the start, or right after one of its events."""
    size = np.abs(batch.initial)
    if kernels.layout.events:
        start = np.full(batch.members, batch.t_out[0])
        parameters, y = batch.parameters.copy(), batch.initial.copy()
        k = kernels.constants(parameters)
        for event in range(len(kernels.layout.events)):
            kernels.functions.fire(event, start, y, parameters, k)
            kernels.functions.jumped(event, parameters, k)
            size = np.maximum(size, np.abs(y))
    return np.where(np.isfinite(size), size, 0.0)


def endless_turns(layout: Layout, solution: Solution, member: int) -> str:
    """The condition that turned over again and again until a member ended; empty where none did."""
    switch = int(solution.fault[0, member]) - len(layout.states)
    slow = solution.status[member] in {Status.STEP_TOO_SMALL, Status.TOO_MANY_STEPS}
    return layout.conditions[layout.located[switch]] if slow and switch >= 0 else ""


def _causes(layout: Layout, solution: Solution) -> dict[int, str]:
    """The text of every member that ended early, from its status and fault."""
    texts = {}
    for member in map(int, np.flatnonzero(solution.status)):
        status, stop = Status(solution.status[member]), float(solution.stop_time[member])
        texts[member] = told(status, stop, layout.time_unit, _detail(layout, solution, member))
    return texts


def _detail(layout: Layout, solution: Solution, member: int) -> str:
    status, (culprit, error, step) = Status(solution.status[member]), solution.fault[:, member]
    number = int(culprit)
    if status == Status.ENDED_BY_EVENT:
        return f"'{layout.happenings[number]}'"
    if status in {Status.EVENTS_WITHOUT_END, Status.UNDEFINED_EVENT}:
        return f"event '{layout.happenings[number]}'"
    if status in {Status.NOT_FINITE_AT_START, Status.NO_CONSISTENT_START}:
        return "the time of an event" if number < 0 else f"from {layout.states[number]}"
    if condition := endless_turns(layout, solution, member):
        return f"'{condition}' turns over again and again"
    if not layout.states:
        return "from one event or turn of a condition to the next"
    return f"step {step:.2g}; error {error:.2g} x tolerance, from {layout.states[number]}"
