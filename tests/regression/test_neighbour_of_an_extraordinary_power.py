"""Members beside one with a power of a negative number came out differently, or never: the equations of all lanes are
then computed once more, and what one piece of them hands to the next had been overwritten by then."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from equations import batch_of, model

from bonesim.codegen.backends import llvm_blocks
from bonesim.simulate import build_kernels
from bonesim.solve.integrate import integrate
from bonesim.solve.settings import Settings

CELLS = 6
STATES = {f"x{i}": (f"(1 + {i})/4", f"1 - sink - k*x{i} + h{(i + 1) % CELLS} - h{i}*x{i}**(n/2)") for i in range(CELLS)}
RULES = {f"h{i}": f"x{i}**n/(k**n + x{i}**n)" for i in range(CELLS)}


@pytest.mark.parametrize("longest", [40, 120, 200, 400, 10_000])
def test_a_member_keeps_its_bits_beside_a_power_of_a_negative_number(
    longest: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(llvm_blocks, "LONGEST_PIECE", longest)
    ode = model(STATES, {"sink": 0.0, "k": 0.7, "n": 2.3}, RULES)
    monkeypatch.setenv("BONESIM_CACHE", str(tmp_path))
    kernels = build_kernels(ode, list(STATES), "llvm")
    n = np.linspace(1.4, 3.1, 24)
    sink = np.where(np.arange(24) % 5 == 2, 3.0, 0.0)  # with a sink all states end in front of 0
    ordinary = sink == 0
    times, settings = np.linspace(0.0, 6.0, 13), Settings(rtol=1e-7)
    together = integrate(kernels, batch_of(kernels, ode, times, n=n, sink=sink), settings, threads=1)
    apart = integrate(kernels, batch_of(kernels, ode, times, n=n[ordinary]), settings, threads=1)
    assert not together.status[ordinary].any()
    assert together.status[~ordinary].all()
    np.testing.assert_array_equal(together.y[..., ordinary], apart.y)
    np.testing.assert_array_equal(together.steps[ordinary], apart.steps)
