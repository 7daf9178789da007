"""Results on the way in rows that are kept: the bits of plain expressions, in fewer rows than there are results."""

from __future__ import annotations

import re

import numpy as np
import pytest
from equations import batch_of, model

from bonesim.codegen.backends import numpy as backend
from bonesim.codegen.program import arrange
from bonesim.model.ode import OdeModel
from bonesim.simulate import load_model
from bonesim.system import Kernels


def found(kernels: Kernels, y: np.ndarray, p: np.ndarray, t: np.ndarray) -> list[np.ndarray]:
    """Rates alone, then rates, slopes and slopes in time."""
    layout, functions = kernels.layout, kernels.functions
    dy, both, by_time = np.empty_like(y), np.empty_like(y), np.zeros_like(y)
    slopes = np.empty((len(layout.pattern), t.size))
    with np.errstate(all="ignore"):
        k = kernels.constants(p)
        if layout.switches:
            functions.settle(t, tuple(y), tuple(p), k)
        functions.rhs(t, tuple(y), tuple(p), tuple(k), dy)
        functions.start(t, tuple(y), tuple(p), tuple(k), both, slopes, by_time)
    return [dy, both, slopes, by_time]


def assert_same_bits(ode: OdeModel, lanes: int) -> None:
    plain, keeping = (backend.build(ode, [], plain=choice) for choice in (True, False))
    batch = batch_of(plain, ode, [0.0, 1.0])
    rng = np.random.default_rng(lanes)
    y, p = (np.repeat(rows, lanes, axis=1) for rows in (batch.initial, batch.parameters))
    y, p = y * rng.uniform(0.5, 2, y.shape), p * rng.uniform(0.9, 1.1, p.shape)
    t = rng.uniform(0, 100, lanes)
    for one, other in zip(found(plain, y, p, t), found(keeping, y, p, t), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("lanes", [1, 3, 100])
@pytest.mark.parametrize("model_id", ["lemaire2004", "komarova2003", "peterson_riggs2010", "scheiner2013", "cook2022"])
def test_models_of_the_library(model_id: str, lanes: int) -> None:
    assert_same_bits(load_model(model_id), lanes)


FORMULAS = {
    "choices in choices": "piecewise(x*y + 1, x > y*y, piecewise(x/y, x < 2*y - 1, x - y)) * (x + y)",
    "a truth": "(x*x > y + 1) + x/(y + 1)",
    "least and largest": "max(x*y, min(x + y, y*y)) - min(x, 1) * max(y - 1, 0)",
    "powers by numbers": "(x + y)**2 + (x*y)**0.5 - (x - y)**3 + (x + 1)**a",
    "functions": "exp(-x*y)/(1 + tanh(x - y)) + ln(x + 1)*abs(y - 2) + floor(x*y)",
    "all of it again": "(x*y + x/y)/(x*y - x/y + 3) - exp(x*y)*exp(x/y)",
}


@pytest.mark.parametrize("text", FORMULAS.values(), ids=FORMULAS)
def test_forms_of_expressions(text: str) -> None:
    ode = model({"x": (1, text), "y": (2, f"t - ({text})*y")}, {"a": 1.7})
    for lanes in (1, 2, 70):
        assert_same_bits(ode, lanes)


def test_names_of_functions_and_rows_may_be_those_of_a_model() -> None:
    ode = model({"w0_": (1, "add*w0_ - multiply*w0"), "w0": (2, "kept*w0/(power + w0_*w0)")},
                {"add": 0.5, "multiply": 0.25, "kept": -2.0, "power": 3.0})  # fmt: skip
    assert_same_bits(ode, 3)


def test_rows_are_free_after_the_last_use() -> None:
    chain = {f"r{number}": f"r{number - 1}*x + r{number - 1}" for number in range(1, 30)}
    ode = model({"x": (1, "r29")}, rules={"r0": "x + 1", **chain})
    text = backend.source(arrange(ode, []))
    rates = text[text.index("def rhs(") : text.index("def jacobian(")]
    assert len(set(re.findall(r"w\d+_", rates))) <= 3
    assert "w0_" not in backend.source(arrange(ode, []), plain=True).split("def factor(")[0]
