"""Fuzzed expression graphs: both back ends against the plain interpreter, and the Jacobian of each.

The first output of a solution is the exact value at the start, so that what a back end computes can be seen through it.
"""

from __future__ import annotations

import random
from collections.abc import Mapping

import numpy as np
from equations import batch_of, by_backend, kernels_of
from graphs import Trees, extended, shaken
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from bonesim.model.evaluate import evaluate
from bonesim.model.expr import Expr, Num
from bonesim.model.ode import OdeModel, Parameter, Rule, State
from bonesim.model.text import expression_text
from bonesim.solve.integrate import integrate
from bonesim.solve.settings import Settings

EXPRESSIONS, MEMBERS, SHAKES = 40, 12, 16
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)  # a smaller seed is no simpler
NAMES = ("x", "z", "p", "q")
POINTS = (0.0, 1.0, -1.0, 2.0, 0.37, -2.6, 3.3, 0.81, 12.5, 1e5, -1e-4, 1e60)
"""Values of states and parameters: zeros and whole numbers, at which edges lie, and others."""


def rules_of(seed: int) -> list[tuple[str, Expr]]:
    """Rules of which a later one may use an earlier one."""
    trees, rules = Trees(seed, NAMES), []
    for number in range(EXPRESSIONS):
        rules.append((f"r{number}", trees.number(depth=4)))
        trees.names.append(f"r{number}")
    return rules


def resting(rules: list[tuple[str, Expr]]) -> OdeModel:
    """A model in which nothing moves, with these rules."""
    states = tuple(State(name, Num(1.0), Num(0.0)) for name in NAMES[:2])
    parameters = tuple(Parameter(name, 1.0) for name in NAMES[2:])
    return OdeModel("fuzz", states, parameters, tuple(Rule(name, expr) for name, expr in rules))


def values_by(backend: str, ode: OdeModel, at: dict[str, list[float]], t: float) -> np.ndarray:
    """(rule, member) the values of all rules."""
    with by_backend(backend):
        kernels = kernels_of(ode, *(rule.id for rule in ode.rules))
    batch = batch_of(kernels, ode, [t, t + 1e-6], **at)
    return integrate(kernels, batch, Settings(rtol=1e-2, max_steps=20), threads=1).y[0]


def possible(rules: list[tuple[str, Expr]], at: dict[str, float], t: float, chance: random.Random) -> np.ndarray:
    """(shake, rule) values that rounding in one or another way leads to; the first are those of the interpreter."""
    rows = []
    for shake in range(SHAKES):
        values = dict(at)
        for name, expr in rules:
            values[name] = shaken(expr, values, t, chance) if shake else float(evaluate(expr, values, t))
        rows.append([values[name] for name, _ in rules])
    return np.array(rows)


def unclear(values: np.ndarray) -> np.ndarray:
    """(rule,) whether rounding decides if the value is a number."""
    kinds = np.where(np.isfinite(values), 0.0, np.where(np.isnan(values), 2.0, np.sign(values)))
    different: np.ndarray = np.any(kinds != kinds[0], axis=0)
    return different


@given(st.integers(0, 2**32 - 1))
@example(0)
@example(1_164_483_408)  # a minimum of what time alone makes no number
@settings(max_examples=4, phases=PHASES)
def test_every_operator_means_the_same_in_both_back_ends_and_the_interpreter(seed: int) -> None:
    rules, chance = rules_of(seed), random.Random(seed)
    at = {name: [chance.choice(POINTS) for _ in range(MEMBERS)] for name in NAMES}
    # No condition turns over just at this time: there, by contract, one holds as it does after it.
    t = chance.uniform(0.2, 2.0)
    found = {backend: values_by(backend, resting(rules), at, t) for backend in ("numpy", "llvm")}
    skipped = 0
    for member in range(MEMBERS):
        here = {name: row[member] for name, row in at.items()}
        values = possible(rules, here, t, chance)
        clear = ~unclear(values)
        skipped += np.sum(~clear)
        with np.errstate(all="ignore"):
            low, high = np.min(values, axis=0), np.max(values, axis=0)
            # Sixteen shakes show the scale of what rounding does, not its extreme.
            margin = np.where(np.isfinite(low), 4 * (high - low) + 1e-280, 0.0)
            for backend, result in found.items():
                one = result[:, member]
                fits = (np.isnan(one) & np.isnan(low)) | ((one >= low - margin) & (one <= high + margin))
                for row in np.flatnonzero(clear & ~fits):
                    name, expr = rules[row]
                    told = f"{backend}: {name} = {expression_text(expr)} is {one[row]}, not {low[row]}..{high[row]}"
                    raise AssertionError(f"{told} at {here}, t = {t!r}, seed {seed}")
    assert skipped < 0.25 * EXPRESSIONS * MEMBERS


MOVING = ("x", "z", "w")
STRIDE = np.longdouble(1e-5)


def moving(seed: int) -> OdeModel:
    """Random rates, over each other, time and a rule."""
    trees = Trees(seed, (*MOVING, "p", "r"))
    rule = Rule("r", Trees(seed + 1, (*MOVING, "p")).number(depth=2))
    states = tuple(State(name, Num(1.0), trees.number(depth=3)) for name in MOVING)
    return OdeModel("fuzz", states, (Parameter("p", 1.0),), (rule,))


def points_of(seed: int, count: int) -> dict[str, np.ndarray]:
    """Moderate values of all names of `moving`, one of each for each member."""
    chosen = np.random.default_rng(seed)
    return {name: chosen.uniform(0.3, 3.0, count) for name in (*MOVING, "p")}


def rates(ode: OdeModel, at: Mapping[str, np.ndarray], t: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """(state, member) rates in extended precision, and whether each is built of moderate numbers alone."""
    (rule,) = ode.rules
    r, tame = extended(rule.expr, at, t)
    found = [extended(state.rate, {**at, "r": r}, t) for state in ode.states]
    values, moderate = zip(*found, strict=True)
    zero = np.zeros(at["p"].shape)
    return np.array([value + zero for value in values]), np.array([good & tame & (zero == 0) for good in moderate])


def jacobian(ode: OdeModel, at: Mapping[str, np.ndarray], t: float) -> np.ndarray:
    """(column, state, member) the generated derivatives by each state, then by time."""
    with by_backend("numpy"):
        kernels = kernels_of(ode)
    batch = batch_of(kernels, ode, [t, t + 1.0], **at)
    y, p, time = tuple(batch.initial), tuple(batch.parameters), np.full(batch.members, t)
    by_state, by_time = np.zeros((batch.members, len(y), len(y))), np.zeros((len(y), batch.members))
    with np.errstate(all="ignore"):
        k = kernels.constants(batch.parameters)
        if kernels.layout.switches:
            kernels.functions.settle(time, y, p, k)
        kernels.functions.jacobian(time, y, p, tuple(k), by_state, by_time)
    return np.concatenate([by_state.transpose(2, 1, 0), by_time[None]])


def differences(ode: OdeModel, at: Mapping[str, np.ndarray], t: float, h: np.longdouble) -> np.ndarray:
    """(column, state, member) central differences of the rates."""
    columns = []
    for name in (*MOVING, None):
        sides = []
        for step in (h, -h):
            moved = {key: value + (step if key == name else 0) for key, value in at.items()}
            sides.append(rates(ode, moved, t + (step if name is None else np.longdouble(0)))[0])
        columns.append((sides[0] - sides[1]) / (2 * h))
    return np.array(columns)


@given(st.integers(0, 2**32 - 1))
@example(0)
@example(2_316_811_810)  # a staircase that one branch of a condition holds still
@settings(max_examples=60, phases=PHASES)
def test_derivatives_are_those_of_the_interpreter_in_extended_precision(seed: int) -> None:
    ode, at, t = moving(seed), points_of(seed, 12), 0.7
    _, tame = rates(ode, at, t)
    with np.errstate(all="ignore"):
        wide, narrow = differences(ode, at, t, STRIDE), differences(ode, at, t, STRIDE / 2)
        exact, error = (4 * narrow - wide) / 3, np.abs(wide - narrow)
        # Where both differ by more, a kink or a jump lies within the stride.
        smooth = tame & (error < 1e-6 * (1 + np.abs(exact))) & (np.abs(exact) < 1e6)
        off = np.abs(jacobian(ode, at, t) - exact)
    # moderate numbers keep all but a few of sixteen digits of each product of a chain rule
    assert np.all(off[smooth] <= (1e-9 * (1 + np.abs(exact)) + error)[smooth]), ode


@given(st.integers(0, 2**32 - 1))
@example(0)
@example(13_731)  # rates without a bend, and no tolerance
@settings(max_examples=8, phases=PHASES)
def test_both_back_ends_take_the_same_step(seed: int) -> None:
    """One step, of a size that no error decides, rests on all entries of the Jacobian and on every stage."""
    ode, at, t = moving(seed), points_of(seed, 12), 0.7
    _, tame = rates(ode, at, t)
    derivatives, size = jacobian(ode, at, t), 0.01
    # The first step is a ten-thousandth of the whole where nothing limits it.
    limits, ends = Settings(atol=np.inf, max_steps=1), {}
    for backend in ("numpy", "llvm"):
        with by_backend(backend):
            kernels = kernels_of(ode)
        ends[backend] = integrate(kernels, batch_of(kernels, ode, [t, t + 1e4 * size], **at), limits)
    # I/(h gamma) - J is dominated by its diagonal, so that both ways to solve with it are as good
    gentle = tame.all(axis=0) & (size * np.abs(derivatives).sum(axis=(0, 1)) < 1)
    plain, compiled = ends["numpy"].end[:, gentle], ends["llvm"].end[:, gentle]
    np.testing.assert_array_equal(ends["numpy"].status[gentle], ends["llvm"].status[gentle])
    np.testing.assert_allclose(compiled, plain, rtol=1e-11, atol=1e-11)
    assert np.isfinite(plain).all()
