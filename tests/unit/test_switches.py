"""What is held during a step, what of it is known beforehand, and what must be looked for."""

from __future__ import annotations

import numpy as np
import pytest
from equations import batch_of, formula, kernels_of, model, when
from hypothesis import given
from hypothesis import strategies as st

from bonesim.codegen.backends.numpy import source
from bonesim.codegen.program import arrange
from bonesim.codegen.switches import hold
from bonesim.model.ode import OdeModel
from bonesim.system import Kernels

PARAMETERS = {"a": 2.0, "b": 3.0}


def of_rate(rate: str, **rules: str) -> OdeModel:
    return model({"x": (1, rate)}, PARAMETERS, rules)


def kinds(ode: OdeModel) -> list[tuple[str, str]]:
    """The text of each switch, and whether it is timed, located, or neither."""
    held = hold(ode)
    return [
        (one.text, "timed" if one.stop is not None else "located" if one.root is not None else "read")
        for one in held.switches
    ]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("x > 1", [("x > 1", "located")]),
        ("t >= a", [("time >= a", "timed")]),
        ("a*t + b < t/24 - 1", [("a*time + b < time/24 - 1", "timed")]),
        ("t*t > 9", [("time*time > 9", "located")]),
        ("t > x", [("time > x", "located")]),
        ("a > b", []),
        ("x == 1", []),
        ("not (x < 1 or t > 3) and a < b", [("x < 1", "located"), ("time > 3", "timed")]),
        ("x < 1 or x < 1", [("x < 1", "located")]),
        ("min(x, a) < 1", [("min(x, a) < 1", "located")]),
        ("max(t, a) < 3", [("max(time, a)", "timed"), ("max(time, a) < 3", "timed")]),
        ("piecewise(t, x > 1, 2*t) > 3", [("x > 1", "located"), ("piecewise(time, x > 1, 2*time) > 3", "timed")]),
        ("floor(t) > 3", [("floor(time)", "timed")]),
        ("floor(x) > 3", [("floor(x) > 3", "located")]),
        ("t == 1", []),
        ("piecewise(1, t == 1, t) > 0", [("piecewise(1, time == 1, time) > 0", "located")]),
    ],
)
def test_which_conditions_are_held_and_how(condition: str, found: list[tuple[str, str]]) -> None:
    assert kinds(of_rate(f"piecewise(1, {condition}, 2)")) == found


def test_what_rests_on_rules_is_seen_through_them() -> None:
    ode = of_rate(
        " + ".join(f"piecewise(1, {name} < 1, 2)" for name in ("clock", "mood", "fixed", "odd")),
        clock="t - day*24", day="floor(t/24)", mood="x*clock", fixed="a + b", odd="sin(t)",
    )  # fmt: skip
    assert kinds(ode) == [
        ("floor(time/24)", "timed"),
        ("clock < 1", "timed"),
        ("mood < 1", "located"),
        ("odd < 1", "located"),
    ]


def test_a_condition_of_conditions_stays_as_it_is() -> None:
    """Once those within are held, it turns over with them."""
    ode = of_rate("piecewise(1, level > 1.5, 0)", level="piecewise(1, x > 3, 2)")
    assert kinds(ode) == [("x > 3", "located")]


def test_the_rate_uses_switches_and_its_derivative_takes_them_as_they_are() -> None:
    program = arrange(of_rate("piecewise(a*x, x > 1, t)"), [])
    (rate,), (slope,), (by_time,) = (
        [store.expr for store in program.rhs.stores],
        [store.expr for store in program.jacobian.stores if store.array == "jacobian"],
        [store.expr for store in program.jacobian.stores if store.array == "by_time"],
    )
    assert rate == formula("piecewise(a*x, switch_1, t)")
    assert slope == formula("piecewise(a, switch_1, 0)")
    assert by_time == formula("piecewise(0, switch_1, 1)")
    assert (program.layout.located, program.layout.timed, program.layout.conditions) == ((0,), 0, ("x > 1",))


def test_a_model_without_conditions_has_no_word_of_them_in_its_code() -> None:
    program = arrange(of_rate("-a*x*max(x, b) + floor(x) + t"), ["x"])
    assert (program.layout.switches, program.layout.located, program.layout.timed) == ((), (), 0)
    assert program.layout.kept == len(program.layout.constants)
    assert not any(word in source(program) for word in ("settle", "switch", "roots", "stops"))


def test_names_of_switches_avoid_those_of_the_model() -> None:
    ode = model({"switch_1": (1, "piecewise(1, switch_1 > g, stops)")}, {"g": 1.0, "stops": 2.0, "settle": 3.0})
    program = arrange(ode, ["g"])
    assert program.layout.switches == ("switch_1_",)
    kernels = kernels_of(ode)
    k, g = np.zeros((kernels.layout.kept, 1)), np.empty((1, 1))
    p, y = tuple(np.array([[1.0], [2.0], [3.0]])), tuple(np.array([[5.0]]))
    kernels.functions.settle(np.zeros(1), y, p, k)
    kernels.functions.roots(np.zeros(1), y, p, tuple(k), g)
    assert (k.tolist(), g.tolist()) == ([[1.0]], [[4.0]])


def test_triggers_stand_behind_the_switches_they_use() -> None:
    ode = model({"x": (1, "piecewise(1, x > 2, a)")}, {"a": 1.0}, events=[when("x > 2 and not (t < a)", x=0)])
    program = arrange(ode, ["x"])
    assert program.layout.conditions == ("x > 2", "time < a")
    assert program.settle.stores[-1].expr == formula("piecewise(1, switch_1 and not switch_2, 0)")
    assert program.layout.triggers == slice(program.layout.kept - 1, program.layout.kept)
    assert (program.layout.happenings, program.layout.initially, program.layout.terminal) == (
        ("when_x",),
        (True,),
        (False,),
    )


def test_long_conditions_are_cut_short_in_messages() -> None:
    ode = of_rate(f"piecewise(1, {' + '.join(['x'] * 40)} > 1, 2)")
    (text,) = arrange(ode, []).layout.conditions
    assert len(text) == 80
    assert text.endswith("x...")


def settled(kernels: Kernels, ode: OdeModel, t: np.ndarray, **rows: float) -> tuple[np.ndarray, np.ndarray]:
    """Switches, and times at which they turn next, at many times at once."""
    batch = batch_of(kernels, ode, [0.0, 1.0], x=np.ones(t.size), **rows)
    stops = np.empty((kernels.layout.timed, t.size))
    with np.errstate(all="ignore"):
        k = kernels.constants(batch.parameters)
        kernels.functions.settle(t, tuple(batch.initial), tuple(batch.parameters), k)
        kernels.functions.stops(tuple(batch.parameters), tuple(k), stops)
    return k[len(kernels.layout.constants) :], stops


CLOCK = of_rate("piecewise(1, t - a*floor(t/a) < b, 2) + floor(b - a*t) + ceil(b*t) + floor(a*t - b)")
CLOCK_KERNELS = kernels_of(CLOCK)
STEEP = st.floats(1e-3, 1e3)


@given(STEEP, STEEP, st.floats(0.0, 1e4))
def test_a_switch_holds_until_it_turns_and_not_an_instant_longer(a: float, b: float, t: float) -> None:
    """Settled at the time at which it turns next, a switch has turned; settled just before, it has not."""
    before, stops = settled(CLOCK_KERNELS, CLOCK, np.array([t]), a=a, b=b)
    for row, stop in enumerate(stops[:, 0]):
        alone = not any(t < other <= stop for other in np.delete(stops[:, 0], row))
        if t < stop < np.inf and alone:
            at = np.array([np.nextafter(stop, -np.inf), stop])
            values, _ = settled(CLOCK_KERNELS, CLOCK, at, a=a, b=b)
            assert values[row, 0] == before[row, 0] != values[row, 1]


@pytest.mark.parametrize("op", ["<", "<=", ">", ">="])
@pytest.mark.parametrize("slope", [-2.0, 0.0, 3.0])
def test_a_timed_condition_is_what_it_is_after_it_has_turned(op: str, slope: float) -> None:
    for text in (f"s*t {op} b", f"{slope}*t {op} b"):
        ode = model({"x": (1, f"piecewise(1, {text}, 2)")}, {"s": slope, "b": 6.0})
        t = np.array([-9.0, -3.0, -2.9, 1.9, 2.0, 2.1])
        values, _ = settled(kernels_of(ode), ode, t)
        later = np.nextafter(t, np.inf)
        exact = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}[op](slope * later, 6.0)
        np.testing.assert_array_equal(values[0], exact)


def test_whole_fractions_turn_at_whole_times() -> None:
    ode = of_rate("piecewise(1, t/24 >= 3, 2) + floor(t/7) + piecewise(1, t - a >= b, 0)")
    _, stops = settled(kernels_of(ode), ode, np.array([48.0]))
    assert stops[:, 0].tolist() == [72.0, 49.0, 5.0]


def test_a_parameter_that_is_no_number_turns_nothing_over() -> None:
    ode = of_rate("piecewise(1, t >= a, 2)")
    values, stops = settled(kernels_of(ode), ode, np.array([1.0]), a=np.nan)
    assert (values[0, 0], np.isnan(stops[0, 0])) == (0.0, True)


def test_a_condition_is_known_by_its_meaning_not_its_place() -> None:
    shared = hold(of_rate("piecewise(1, x > r, 0)*piecewise(2, x > r, 3)", r="piecewise(1, x > a, 2)"))
    assert [one.text for one in shared.switches] == ["x > a", "x > r"]
    assert shared.triggers == ()
    assert dict(shared.chain)["r"] == formula("piecewise(1, switch_1, 2)")
