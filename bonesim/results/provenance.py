"""What a result says of how it was made."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from bonesim.solve.settings import Settings
from bonesim.solve.solution import Solution
from bonesim.system import Kernels


def how_solved(kernels: Kernels, settings: Settings, solution: Solution) -> dict[str, Any]:
    """Attributes of a dataset: back end, method, tolerances, steps of all members, versions.

    `atol` is by state, the largest of any member.
    """
    return {
        "backend": kernels.backend,
        "method": settings.tableau.name,
        "rtol": settings.rtol,
        "atol": dict(zip(kernels.layout.states, solution.atol.max(axis=1, initial=0.0).tolist(), strict=True)),
        "steps": int(solution.steps.sum()),
        **({"seed": int(settings.seed)} if kernels.layout.queue else {}),
        "versions": versions(),
    }


def how_together(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """How several batches of one run were solved: the first, with the steps of all and the states of all."""
    atol: dict[str, float] = {}
    for part in parts:
        atol |= {state: max(size, atol.get(state, 0.0)) for state, size in part["atol"].items()}
    return {**parts[0], "atol": atol, "steps": sum(part["steps"] for part in parts)}


DECISIVE = ("bonesim", "numpy", "llvmlite", "python-libsbml", "xarray")
"""Packages that numbers depend on."""


def versions(packages: Iterable[str] = DECISIVE) -> dict[str, str]:
    """Versions of Python and of packages, `not installed` where one is missing."""
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
