"""How much sooner a batch is done on all cores than on one, by the clock."""

from __future__ import annotations

import os
from dataclasses import replace
from time import perf_counter

import numpy as np

from benchmarks.peers import OURS
from benchmarks.problems import Problem
from benchmarks.rows import Row, spread
from bonesim.simulate import build_kernels
from bonesim.solve.integrate import integrate
from bonesim.solve.settings import Settings
from bonesim.solve.solution import Memory
from bonesim.system import Batch, Kernels

RTOL, REPEATS, BAR = 1e-4, 21, 1.85
BATCHES = 8
"""Times the members of the ladder, so that the end, when one thread waits for the other, does not count."""


def measure(problem: Problem, share: float = 1.0) -> list[Row]:
    """The ratio of wall clock, one thread over two, repetition by repetition.

    Outputs go to memory that was written to before, as those of all chunks of a sweep but the first; and, in a row
    without a bar, to memory that is new, as those of one call. What the system takes to hand out new memory is the same
    for one thread and two on the machines that were measured.
    """
    members = max(64, int(share * BATCHES * OURS.members(len(problem.model.states))))
    task = problem.task(members)
    kernels = build_kernels(problem.model, problem.outputs, "llvm")
    batch = Batch(task.parameters, task.initial, task.t_out)
    kept = Memory()
    seconds = [
        [[_wall(kernels, batch, threads, memory) for threads in (1, 2)] for memory in (kept, None)]
        for _ in range(REPEATS + 1)
    ]
    again, new = np.moveaxis(np.array(seconds[1:]), 1, 0)
    row = Row(
        part="threads",
        problem=problem.id,
        engine=OURS.name,
        quantity="two threads over one, wall clock",
        **spread(again[:, 0] / again[:, 1]),
        members=members,
        cores=2,
        rtol=RTOL,
        bar=BAR,
        note="" if (os.cpu_count() or 1) > 1 else "this machine has one core",
        versions=OURS.versions(),
    )
    of_new = replace(row, quantity=f"{row.quantity}, new memory", **spread(new[:, 0] / new[:, 1]), bar=None)
    return [row, of_new]


def _wall(kernels: Kernels, batch: Batch, threads: int, memory: Memory | None) -> float:
    started = perf_counter()
    integrate(kernels, batch, Settings(RTOL), threads=threads, memory=memory)
    return perf_counter() - started
