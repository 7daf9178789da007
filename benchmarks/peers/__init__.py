"""The engines that are measured, each a small module with one function.

`prepare(task)` does all that is done once for a model (read it, compile it) and gives a function of the relative
tolerance; that one does what is done once for a tolerance and gives the function that is timed. It solves every member
of the task and returns (member, output, time). Absolute tolerances follow from `Task.atol` as far as an engine allows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TypeAlias

import numpy as np

from benchmarks.problems import Task

Run: TypeAlias = Callable[[], np.ndarray]
Solver: TypeAlias = Callable[[float], Run]

SMALL = 10
"""States of a small model, at most."""


@dataclass(frozen=True)
class Engine:
    """An engine by name.

    module : of this package, with `prepare`
    distributions : Python packages whose versions belong beside its numbers
    few, many : members solved of a small model, and of a larger one
    tightest : relative tolerance below which it is not asked
    """

    name: str
    module: str
    distributions: tuple[str, ...]
    few: int
    many: int
    tightest: float = 1e-10

    def prepare(self, task: Task) -> Solver:
        """Read and compile the task's model."""
        solver: Solver = import_module(f"{__name__}.{self.module}").prepare(task)
        return solver

    def missing(self) -> list[str]:
        """Packages that are not installed."""
        return [name for name in self.distributions if _version(name) is None]

    def versions(self) -> dict[str, str]:
        """Versions of its packages."""
        return {name: found for name in self.distributions if (found := _version(name))}

    def members(self, states: int) -> int:
        """How many members it solves of a model of that size."""
        return self.few if states <= SMALL else self.many


OURS = Engine("bonesim", "ours_llvm", ("bonesim", "llvmlite", "numpy"), 20_000, 800)
OURS_NUMPY = Engine("bonesim, NumPy back end", "ours_numpy", ("bonesim", "numpy"), 16_384, 2_048, 1e-5)
REFEREE = Engine("libRoadRunner", "roadrunner_cvode", ("libroadrunner",), 100, 16)
OTHERS = (
    Engine("COPASI", "copasi_lsoda", ("python-copasi",), 32, 16),
    Engine("SciPy LSODA", "scipy_lsoda", ("scipy", "numba"), 32, 16),
    Engine("scikit-sundae CVODE", "sundae_cvode", ("scikit-sundae", "numba"), 32, 16),
    Engine("diffrax Kvaerno5", "diffrax_kvaerno5", ("diffrax", "jax"), 128, 16, 1e-9),
    Engine("diffrax Dopri8", "diffrax_dopri8", ("diffrax", "jax"), 128, 16),
    Engine("heyoka", "heyoka_taylor", ("heyoka",), 128, 16),
)
ENGINES = {engine.name: engine for engine in (OURS, OURS_NUMPY, REFEREE, *OTHERS)}


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
