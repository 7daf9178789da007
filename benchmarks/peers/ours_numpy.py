"""Our plain back end, one thread."""

from __future__ import annotations

from benchmarks.peers import Solver
from benchmarks.peers.ours import solver
from benchmarks.problems import Task


def prepare(task: Task) -> Solver:
    """Generate the model's functions, or take them from the cache."""
    return solver(task, "numpy")
