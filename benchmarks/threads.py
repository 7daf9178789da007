"""How much sooner a batch is done on all cores than on one, by the clock."""

from __future__ import annotations

import os
from time import perf_counter

import numpy as np

from benchmarks.peers import OURS
from benchmarks.problems import Problem
from benchmarks.rows import Row, spread
from bonesim.simulate import build_kernels
from bonesim.solve.integrate import integrate
from bonesim.solve.settings import Settings
from bonesim.system import Batch, Kernels

RTOL, REPEATS, BAR = 1e-4, 21, 1.85
BATCHES = 8
"""Times the members of the ladder, so that the end, when one thread waits for the other, does not count."""


def measure(problem: Problem, share: float = 1.0) -> Row:
    """The ratio of wall clock, one thread over two, repetition by repetition."""
    members = max(64, int(share * BATCHES * OURS.members(len(problem.model.states))))
    task = problem.task(members)
    kernels = build_kernels(problem.model, problem.outputs, "llvm")
    batch = Batch(task.parameters, task.initial, task.t_out)
    seconds = np.array([[_wall(kernels, batch, threads) for threads in (1, 2)] for _ in range(REPEATS + 1)])[1:]
    return Row(
        part="threads",
        problem=problem.id,
        engine=OURS.name,
        quantity="two threads over one, wall clock",
        **spread(seconds[:, 0] / seconds[:, 1]),
        members=members,
        cores=2,
        rtol=RTOL,
        bar=BAR,
        note="" if (os.cpu_count() or 1) > 1 else "this machine has one core",
        versions=OURS.versions(),
    )


def _wall(kernels: Kernels, batch: Batch, threads: int) -> float:
    started = perf_counter()
    integrate(kernels, batch, Settings(RTOL), threads=threads)
    return perf_counter() - started
