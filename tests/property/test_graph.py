"""Fuzzed expressions: generated code against the interpreter, derivatives against complex steps, hoisting."""

from __future__ import annotations

import cmath
import math
from collections.abc import Mapping

import numpy as np
from equations import formula, kernels_of
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from bonesim.codegen.program import arrange
from bonesim.model.derive import derivative
from bonesim.model.evaluate import evaluate
from bonesim.model.expr import TIME, Call, Expr, Num, Sym, Time, fold, substitute, symbols, walk
from bonesim.model.ode import OdeModel, Parameter, Rule, State

EPS = 2.0**-52
STATES, PARAMETERS = ("x", "if"), ("p", "q")  # one is a keyword of Python
# What IEEE arithmetic rounds correctly, so that two programs agree to the bit.
EXACT = {
    **dict.fromkeys(["add", "sub", "mul", "div", "min", "max", "lt", "le", "gt", "ge", "eq", "ne", "and", "or"], 2),
    **dict.fromkeys(["neg", "abs", "sqrt", "floor", "ceil", "not"], 1),
    "piecewise": 3,
}
SMOOTH = {
    **dict.fromkeys(["add", "sub", "mul", "div", "pow"], 2),
    **dict.fromkeys(
        ["neg", "exp", "ln", "log10", "sqrt", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh"], 1
    ),
}
values = st.sampled_from([0.0, 1.0, -1.0, 0.5, 2.0, 3.0, -7.25, 0.1, 1e-300, 1e300])
moderate = st.floats(0.3, 3.0)


def trees(operators: Mapping[str, int], numbers: st.SearchStrategy[float], names: tuple[str, ...]) -> st.SearchStrategy:
    leaves = st.one_of(numbers.map(Num), st.sampled_from(names).map(Sym), st.just(TIME))
    return st.recursive(
        leaves,
        lambda parts: st.sampled_from(sorted(operators)).flatmap(
            lambda op: st.tuples(*[parts] * operators[op]).map(lambda args: Call(op, args))
        ),
        max_leaves=12,
    )


def wrapped(exprs: list[Expr], rule: Expr, *, fixed: bool = True) -> OdeModel:
    """A model whose rates are `exprs` and whose rule r is `rule`; without `fixed` its parameters are states."""
    numbers = {"p": 1.5, "q": -0.25}
    states = [State(name, Num(0.0), expr) for name, expr in zip(STATES, exprs, strict=True)]
    if not fixed:
        states += [State(name, Num(value), Num(0.0)) for name, value in numbers.items()]
    parameters = [Parameter(name, value) for name, value in numbers.items()] if fixed else []
    return OdeModel("fuzz", tuple(states), tuple(parameters), (Rule("r", rule),))


def rates(model: OdeModel, t: float, at: Mapping[str, float]) -> np.ndarray:
    """Right-hand side and Jacobian of generated code, for three equal members side by side."""
    kernels = kernels_of(model)
    functions, layout = kernels.functions, kernels.layout
    y = np.array([[at[name]] * 3 for name in layout.states])
    p = np.array([[at[name]] * 3 for name in layout.parameters]).reshape(-1, 3)
    assume(not layout.timed)  # where time turns a condition over, it counts as what it is from then on
    dy, jacobian, by_time = np.empty_like(y), np.zeros((3, len(y), len(y))), np.zeros_like(y)
    with np.errstate(all="ignore"):
        k = kernels.constants(p)
        if layout.switches:
            functions.settle(np.full(3, t), tuple(y), tuple(p), k)
        functions.rhs(np.full(3, t), tuple(y), tuple(p), tuple(k), dy)
        functions.jacobian(np.full(3, t), tuple(y), tuple(p), tuple(k), jacobian, by_time)
    np.testing.assert_array_equal(dy[:, 0], dy[:, 2])
    return np.column_stack([dy[:2, 0], jacobian[0, :2, :2], by_time[:2, 0]])


exact = trees(EXACT, values, (*STATES, *PARAMETERS))
points = st.fixed_dictionaries(dict.fromkeys((*STATES, *PARAMETERS, "t"), values))


@given(trees(EXACT, values, (*STATES, *PARAMETERS, "r")), exact, exact, points)
@example(formula("-(x - p)*(x - p) - -(p/q)/(x/p)"), formula("r - (r - (x - q))"), formula("x/(p/q)"), {"t": 2.0})
@settings(max_examples=120)
def test_generated_code_is_the_interpreter_to_the_bit(one: Expr, two: Expr, rule: Expr, at: dict[str, float]) -> None:
    at = {"x": 3.0, "if": 0.1, "p": 2.0, "q": -7.25} | at
    t = at.pop("t")
    r = evaluate(rule, at, t)
    expected = [float(evaluate(expr, at | {"r": r}, t)) for expr in (one, two)]
    np.testing.assert_array_equal(rates(wrapped([one, two], rule), t, at)[:, 0], expected)


@given(
    trees(SMOOTH | EXACT, values, (*STATES, *PARAMETERS, "r")),
    trees(SMOOTH | EXACT, values, PARAMETERS),
    points,
    st.booleans(),
)
@settings(max_examples=80)
def test_hoisting_changes_no_bit(one: Expr, rule: Expr, at: dict[str, float], twice: bool) -> None:
    """Parameters as states without a rate: nothing is hoisted, and every value is the same."""
    # Folded numbers are computed by Python's mathematics library, not NumPy's: leave trees of numbers alone out.
    assume(all(symbols(node) or node.op in EXACT for node in [*walk(one), *walk(rule)] if isinstance(node, Call)))
    two = Call("sub", (one, Call("mul", (one, rule)))) if twice else rule
    t = at.pop("t")
    hoisted, plain = wrapped([one, two], rule), wrapped([one, two], rule, fixed=False)
    np.testing.assert_array_equal(rates(hoisted, t, at)[:, 0], rates(plain, t, at)[:, 0])
    # What stays in the right-hand side rests on states, conditions or time: all else became constants.
    program = arrange(hoisted, ())
    moving = {*STATES, *program.layout.switches, *(name for name, _ in program.rhs.values)}
    for expr in [expr for _, expr in program.rhs.values] + [store.expr for store in program.rhs.stores]:
        for node in walk(expr):
            assert not isinstance(node, Call) or TIME in walk(node) or symbols(node) & moving


def complex_value(expr: Expr, at: Mapping[str, complex], t: complex) -> complex:
    """The expression with complex numbers, by Python's own functions."""
    infix = {
        "add": lambda a, b: a + b,
        "sub": lambda a, b: a - b,
        "mul": lambda a, b: a * b,
        "div": lambda a, b: a / b,
        "neg": lambda a: -a,
        "pow": lambda a, b: cmath.exp(b * cmath.log(a)),
        "ln": cmath.log,
    }

    def leaf(node: Num | Sym | Time) -> complex:
        return node.value if isinstance(node, Num) else at[node.name] if isinstance(node, Sym) else t

    return fold(expr, leaf, lambda node, args: (infix.get(node.op) or getattr(cmath, node.op))(*args))


def tame(expr: Expr, at: Mapping[str, float], t: float) -> bool:
    """Whether every part is real and neither large nor small, so that rounding errors stay near EPS."""
    return all(0.02 < abs(float(evaluate(node, at, t))) < 50 for node in walk(expr))


smooth = trees(SMOOTH, moderate, (*STATES, *PARAMETERS))
tame_points = st.fixed_dictionaries(dict.fromkeys((*STATES, *PARAMETERS, "t"), moderate))


@given(smooth, tame_points)
@example(formula("x**p + p**x - x/p"), {"x": 2.0, "if": 1.0, "p": 1.5, "q": 1.0, "t": 1.0})
@example(formula("acos(x/5) - asin(x/7)*tan(x/9)"), {"x": 2.0, "if": 1.0, "p": 1.5, "q": 1.0, "t": 1.0})
@settings(max_examples=200)
def test_derivatives_of_smooth_expressions_are_those_by_complex_step(expr: Expr, at: dict[str, float]) -> None:
    at = dict(at)
    t = at.pop("t")
    assume(tame(expr, at, t))
    tiny = 1e-30
    for name in (*at, None):
        shifted = {key: complex(value, tiny if key == name else 0.0) for key, value in at.items()}
        expected = complex_value(expr, shifted, complex(t, tiny if name is None else 0.0)).imag / tiny
        slope = evaluate(derivative(expr, Sym(name) if name else TIME), at, t)
        assume(abs(expected) < 1e6)  # asin and acos rise without bound towards 1
        # up to 12 factors, each amplified by at most 50 and most by less than 2
        assert math.isclose(slope, expected, rel_tol=1e-9, abs_tol=1e-9)


@given(trees(SMOOTH, moderate, (*STATES, *PARAMETERS, "r")), smooth, smooth, tame_points)
@settings(max_examples=80)
def test_the_jacobian_carries_derivatives_through_rules(one: Expr, two: Expr, rule: Expr, at: dict[str, float]) -> None:
    t = at.pop("t")
    one = Call("add", (one, Call("mul", (Sym("r"), Sym("x")))))
    whole = substitute(one, {"r": rule})
    assume(tame(whole, at, t) and tame(two, at, t))
    found = rates(wrapped([one, two], rule), t, at)
    for row, expr in enumerate((whole, two)):
        for column, name in enumerate((*STATES, None), start=1):
            shifted = {key: complex(value, 1e-30 if key == name else 0.0) for key, value in at.items()}
            expected = complex_value(expr, shifted, complex(t, 0.0 if name else 1e-30)).imag / 1e-30
            assume(abs(expected) < 1e6)
            assert math.isclose(found[row, column], expected, rel_tol=1e-9, abs_tol=1e-9)


@given(
    st.sampled_from(["min(x*x, p*x)", "max(x*x, p*x)", "abs(x - p)", "piecewise(x*x, x < p, 3*x, x < q, ln(x))"]),
    moderate,
    moderate,
    moderate,
)
def test_derivatives_of_kinked_expressions_are_those_of_the_branch_taken(
    text: str, x: float, p: float, q: float
) -> None:
    expr, width = formula(text), 1e-6
    assume(abs(x - p) > 2 * width and abs(x - q) > 2 * width)
    above, below = (evaluate(expr, {"x": x + side, "p": p, "q": q}) for side in (width, -width))
    slope = evaluate(derivative(expr, Sym("x")), {"x": x, "p": p, "q": q})
    # central difference: width^2 f'''/6 with f''' < 75 (ln at 0.3), and EPS f/width with f < 10
    assert slope == (above - below) / (2 * width) or abs(slope - (above - below) / (2 * width)) < (
        75 * width**2 / 6 + 20 * EPS / width
    )
