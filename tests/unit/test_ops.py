"""Every operator means in Python what it means in NumPy, at the edges too."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from equations import by_backend, formula, model, solve

from bonesim.model.evaluate import evaluate
from bonesim.model.ops import OPS, Op

INF, NAN = math.inf, math.nan
EDGES = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 3.0, -2.5, 710.5, -710.5, 1e-310, 1e308, INF, -INF, NAN]
INFIX = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "**": np.power,
    "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "==": np.equal, "!=": np.not_equal,
}  # fmt: skip


def in_numpy(op: Op, *args: float) -> float:
    if op.name == "neg":
        return float(-np.float64(args[0]))
    with np.errstate(all="ignore"):
        return float((INFIX.get(op.numpy) or getattr(np, op.numpy))(*map(np.float64, args)))


NO_FUNCTION_OF_NUMPY = {"piecewise", "factorial", "delay"}


@pytest.mark.parametrize("name", sorted(OPS.keys() - NO_FUNCTION_OF_NUMPY))
def test_edges_are_those_of_ieee(name: str) -> None:
    op = OPS[name]
    for args in product(EDGES, repeat=op.arity[0]):
        if op.name == "pow" and args[0] == 0 and args[1] < 0 and math.copysign(1, args[0]) < 0:
            continue  # the sign of infinity for the power of a negative zero
        if op.name == "pow" and args[0] == -INF:
            continue  # NumPy gives NaN for (-inf)**0.5, IEEE inf
        if op.name in {"sin", "cos", "tan"} and abs(args[0]) > 1e300:
            continue  # reduction of such arguments differs between libraries
        # two libraries, each within two units in the last place
        found, expected = float(op.evaluate(*args)), in_numpy(op, *args)
        assert found == pytest.approx(expected, rel=4 * 2**-52, abs=5e-324, nan_ok=True), args


@pytest.mark.parametrize(("name", "x"), [("ceil", -0.5), ("ceil", -0.0), ("floor", -0.0), ("floor", 0.5)])
def test_a_rounded_zero_keeps_its_sign(name: str, x: float) -> None:
    """It decides which infinity a quotient by it is."""
    assert (
        math.copysign(1.0, OPS[name].evaluate(x)) == math.copysign(1.0, in_numpy(OPS[name], x)) == math.copysign(1, x)
    )


def test_piecewise_takes_the_first_condition_that_holds() -> None:
    expr = formula("piecewise(1, x < 1, 2, x < 2, 3)")
    assert [evaluate(expr, {"x": x}) for x in (0.0, 1.0, 2.0, NAN)] == [1, 2, 3, 3]


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
def test_a_factorial_is_that_of_whole_numbers_and_nothing_between(backend: str) -> None:
    exact = {0.0: 1.0, 1.0: 1.0, 5.0: 120.0, 22.0: 1124000727777607680000.0, 170.0: 7.257415615307994e306}
    points = {**exact, 171.0: INF, 1e300: INF, INF: INF, 0.5: NAN, 170.5: NAN, -1.0: NAN, -INF: NAN, NAN: NAN}
    for x, value in points.items():
        assert evaluate(formula("factorial(x)"), {"x": x}) == pytest.approx(value, rel=1e-15, nan_ok=True)
    with by_backend(backend):
        found = solve(model({}, {"x": 0.0}, {"y": "factorial(x)"}), [0.0, 1.0], "y", x=list(points)).y[0, 0]
    np.testing.assert_allclose(found, list(points.values()), rtol=1e-15)


def test_a_branch_not_taken_may_be_undefined() -> None:
    assert evaluate(formula("piecewise(0, x <= 0, ln(x)/x)"), {"x": 0.0}) == 0


def test_a_name_without_a_value_raises() -> None:
    with pytest.raises(KeyError, match="'k'"):
        evaluate(formula("k*t"), {}, 1.0)


def test_time_is_the_time_given() -> None:
    assert evaluate(formula("t*t"), {}, 3.0) == 9.0
