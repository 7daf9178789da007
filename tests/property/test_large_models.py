"""Models too large for one piece of code: however the compiled back end cuts and loops, no bit changes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import equations
import numpy as np
import pytest

from bonesim.codegen import sparse
from bonesim.codegen.backends import llvm, llvm_blocks, llvm_linear, llvm_module
from bonesim.codegen.program import arrange
from bonesim.model.ode import OdeModel, Parameter
from bonesim.model.sensitivity import with_sensitivities
from bonesim.simulate import build_kernels, load_model
from bonesim.solve.integrate import integrate
from bonesim.solve.methods.rosenbrock import RODAS5P
from bonesim.solve.solution import Solution

CLOSE = 1e-9
"""Of the largest value: rounding of some ten steps of hundreds of sums."""


HILL = "k*x{before}**n/(0.5**n + x{before}**n)"
SATURATED = "k*x{before}/(0.5 + x{before})"


def cells(count: int, drive: str) -> OdeModel:
    """A ring of cells, each driven by the one before it, with exchange between neighbours."""
    rate = drive + " + D*(x{before} - 2*x{here} + x{after}) - x{here}"
    states = {
        f"x{here}": (0.1 + here % 7, rate.format(before=(here - 1) % count, here=here, after=(here + 1) % count))
        for here in range(count)
    }
    return equations.model(states, {"k": 2, "n": 2.5, "D": 0.5})


def infused(count: int, levels: Sequence[float]) -> OdeModel:
    """One compartment; its inflow is set anew every day to a level of its own, in two rounds with others in between.

    The first of these sets it to a constant as well (twice a parameter), so it is like the days before it.
    """
    daily = [equations.event(f"start{day}", inflow=f"level{day}") for day in range(count)]
    others = [equations.event(1.5, inflow="2*inflow"), equations.event("start2", amount="amount + inflow")]
    model = equations.model({"amount": (1, "inflow - amount/2")}, {"inflow": 0}, events=[*daily, *others, *daily])
    given = {f"level{day}": levels[day] for day in range(count)} | {f"start{day}": float(day) for day in range(count)}
    return model.with_(parameters=(*model.parameters, *(Parameter(name, value) for name, value in given.items())))


@pytest.fixture
def anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing comes from the cache."""
    monkeypatch.setattr(llvm, "_from_cache", lambda *_: None)
    monkeypatch.setenv("BONESIM_CACHE", str(tmp_path))


def solved(model: OdeModel, backend: str = "llvm", **rows: Sequence[float]) -> Solution:
    kernels = build_kernels(model, [state.id for state in model.states[::5]], backend)
    return integrate(kernels, equations.batch_of(kernels, model, [0.0, 1.0, 5.0], **rows))


@pytest.mark.usefixtures("anew")
@pytest.mark.parametrize(
    ("part", "constant", "value"),
    [
        (llvm_linear, "UNROLLED", 0),
        (llvm_linear, "LONGEST_PIECE", 30),
        (llvm_blocks, "LONGEST_PIECE", 60),
        (llvm_blocks, "LONGEST_INLINED", 0),
    ],
    ids=["looped algebra", "algebra in pieces", "equations in pieces", "functions called"],
)
def test_the_form_of_the_code_changes_no_bit(
    part: object, constant: str, value: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, k = cells(12, HILL), [1.0, 1.5, 2.0]
    usual = solved(model, k=k)
    monkeypatch.setattr(part, constant, value)
    np.testing.assert_array_equal(solved(model, k=k).y, usual.y)


@pytest.mark.usefixtures("anew")
@pytest.mark.parametrize("most", [llvm_linear.UNROLLED, 0], ids=["unrolled", "looped"])
def test_slopes_share_the_factors_of_the_model_and_keep_their_bits(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against the same systems with every block factored for itself."""
    monkeypatch.setattr(llvm_linear, "UNROLLED", most)
    model = with_sensitivities(load_model("lemaire2004"), ["D_R", "k_B", "D_A"]).model
    factored = []

    def apart(size: int, entries: dict[sparse.Entry, object], in_turn: Sequence[int]) -> sparse.Elimination:
        plan = sparse.eliminate(size, entries if not factored else {place: place for place in entries}, in_turn)
        factored.append(sum(1 for _ in plan.factored))
        return plan

    monkeypatch.setattr(llvm_module, "eliminate", apart)
    together, separate = solved(model), solved(model)
    assert factored == [3, 12]
    np.testing.assert_array_equal(together.y, separate.y)


@pytest.mark.usefixtures("anew")
def test_three_hundred_states_agree_with_the_plain_back_end() -> None:
    model = cells(300, SATURATED)
    plain, compiled = (solved(model, backend, k=[1.0, 2.0]) for backend in ("numpy", "llvm"))
    assert plain.ok
    assert compiled.ok
    assert np.abs(plain.y - compiled.y).max() < CLOSE * np.abs(plain.y).max()


@pytest.mark.usefixtures("anew")
def test_events_that_are_alike_share_their_code_and_keep_their_numbers() -> None:
    model = infused(40, list(np.random.default_rng(1).uniform(0, 5, 40)))
    plain, compiled = (solved(model, backend, level3=[1.0, 4.0]) for backend in ("numpy", "llvm"))
    np.testing.assert_allclose(compiled.y, plain.y, rtol=CLOSE)
    source, _ = llvm_module.text(arrange(model, ["amount"]), RODAS5P, 4)
    assert source.count("define internal void @fire_") == 3
