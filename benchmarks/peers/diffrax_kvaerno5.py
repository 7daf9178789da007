"""diffrax with Kvaerno5."""

from __future__ import annotations

from diffrax import Kvaerno5

from benchmarks.peers import Solver
from benchmarks.peers.diffrax_vmap import solver
from benchmarks.problems import Task


def prepare(task: Task) -> Solver:
    """Set up the batched solve; JAX compiles it when it first runs."""
    return solver(task, Kvaerno5())
