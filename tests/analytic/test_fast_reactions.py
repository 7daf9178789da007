"""Fast reactions: totals, equilibria and boundaries against closed forms, and against large rates."""

from __future__ import annotations

import numpy as np
import pytest
from chemistry import read
from scipy.integrate import solve_ivp

from bonesim.errors import InputError, SimulationError
from bonesim.failure import explain_failure
from bonesim.model.document import from_document, to_document
from bonesim.model.ode import OdeModel
from bonesim.sbml.write import write_sbml
from bonesim.simulate import simulate
from bonesim.steady import steady_state

ONE = "compartment c = 1; species A in c, B in c;"


def course(model: OdeModel, times: list[float] | np.ndarray, *names: str, rtol: float = 1e-9) -> list[np.ndarray]:
    result = simulate(model, times, list(names), rtol=rtol, atol=rtol * 1e-3)
    return [result[name].values for name in names]


@pytest.mark.parametrize("K", [1.0, 1e3, 1e-3])
def test_a_dimer_in_equilibrium_while_its_monomer_is_drained(K: float) -> None:
    """T' = -k A with A + 2 D = T and D = K A^2, the equation of A alone solved to 1e-12.

    D is what the total leaves to it, and has its absolute accuracy.
    """
    model = read(f"{ONE} F: 2 A -> B; c*(K*A*A - B); S: A -> ; c*0.3*A; A = 1; B = 0.5; K = {K};", ["F"])
    times = np.linspace(0, 5, 11)
    start = (-1 + np.sqrt(1 + 16 * K)) / (4 * K)
    exact = solve_ivp(lambda _, a: -0.3 * a / (1 + 4 * K * a), (0, 5), [start], "LSODA", times, rtol=1e-12, atol=1e-14)
    a, d = course(model, times, "A", "B")
    np.testing.assert_allclose(a, exact.y[0], rtol=1e-7)
    np.testing.assert_allclose(d, K * exact.y[0] ** 2, rtol=1e-7, atol=1e-8)


def test_amounts_are_what_moves_between_compartments_of_different_sizes() -> None:
    """B = 7/3 A, and the whole amount 2 A + 5 B gains 1 and loses B/2 a day."""
    model = read(
        "compartment c = 2; compartment e = 5; species A in c, B in e; A = 0; B = 0;"
        "F: A -> B; 7*A - 3*B; I: -> A; 1; O: B -> ; 0.5*B;",
        ["F"],
    )
    times = np.linspace(0, 1000, 21)
    a, b = course(model, times, "A", "B")
    exact = 6 / 7 * (1 - np.exp(-7 / 6 / (2 + 35 / 3) * times))
    np.testing.assert_allclose(a, exact, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(b, 7 / 3 * exact, rtol=1e-8, atol=1e-10)


def test_reactions_in_a_ring_come_to_the_rest_of_the_whole_ring() -> None:
    """Three reactions of which two are independent: A : B : C = 1 : 2 : 6, and C is drained."""
    model = read(
        "compartment c = 1; species A in c, B in c, C in c; A = 1; B = 0; C = 0;"
        "F: A -> B; 2*A - B; G: B -> C; 3*B - C; H: C -> A; C - 6*A; O: C -> ; 0.1*C;",
        ["F", "G", "H"],
    )
    times = np.linspace(0, 10, 6)
    exact = np.exp(-0.6 / 9 * times) / 9
    for found, share in zip(course(model, times, "A", "B", "C"), (1, 2, 6), strict=True):
        np.testing.assert_allclose(found, share * exact, rtol=1e-8)


def test_it_is_the_limit_of_large_rates() -> None:
    """An enzyme that binds its substrate at once; the error of rates of 1e8 is of the order of 1e-8."""
    text = (
        "compartment c = 1; species S in c, E in c, C in c, P in c; S = 10; E = 1; C = 0; P = 0;"
        "F: S + E -> C; on*S*E - off*C; R: C -> E + P; 0.7*C;"
    )
    times = np.linspace(0, 40, 9)
    fast = course(read(f"{text} on = 2; off = 1;", ["F"]), times, "S", "E", "C", "P")
    slow = course(read(f"{text} on = 2e8; off = 1e8;"), times, "S", "E", "C", "P")
    np.testing.assert_allclose(np.array(fast)[:, 1:], np.array(slow)[:, 1:], rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(fast[1] + fast[2], 1, rtol=1e-9)


def test_an_irreversible_one_runs_until_what_it_consumes_is_gone() -> None:
    model = read(f"{ONE} F: A => 2 B; A; I: -> A; 1; O: B => ; 0.5*B; A = 3; B = 1;", ["F"])
    times = np.linspace(0, 4, 5)
    a, b = course(model, times, "A", "B")
    np.testing.assert_allclose(a, 0, atol=1e-12)
    np.testing.assert_allclose(b, 4 + 3 * np.exp(-0.5 * times), rtol=1e-8)


def test_the_flow_decides_between_two_rests() -> None:
    """A B = 0 where A is gone, or B: by the sign of the rate, whichever is nearer."""
    for sign, rest in ((1, (0.0, 6.0)), (-1, (6.0, 0.0))):
        a, b = course(read(f"{ONE} F: A -> B; k*A*B; k = {sign}; A = 1; B = 5;", ["F"]), [0, 1], "A", "B")
        np.testing.assert_allclose((a[0], b[0]), rest, atol=1e-9)


def test_the_reactant_that_runs_out_may_change() -> None:
    """A + B => C with 1 A a day: B, of which 1 is left over at the start, is gone on day 1."""
    model = read(
        "compartment c = 1; species A in c, B in c, C in c; A = 1; B = 2; C = 0; F: A + B => C; A*B; I: => A; 1;", ["F"]
    )
    t = np.array([0, 0.5, 0.9, 1.1, 2, 3])
    a, b, c = course(model, t, "A", "B", "C", rtol=1e-7)
    np.testing.assert_allclose(a, np.maximum(t - 1, 0), atol=1e-6)
    np.testing.assert_allclose(b, np.maximum(1 - t, 0), atol=1e-6)
    np.testing.assert_allclose(c, np.minimum(1 + t, 2), atol=1e-6)


def test_a_rate_of_second_order_is_followed_to_its_end() -> None:
    """2 A => B, whose slope is 0 where A is gone."""
    model = read(f"{ONE} F: 2 A => B; A*A; I: => A; 1; A = 1; B = 0;", ["F"])
    np.testing.assert_allclose(course(model, [0, 1, 5], "B")[0], [0.5, 1, 3], atol=1e-5)


def test_where_the_flow_turns_round_everything_goes_the_other_way() -> None:
    for k in ("k := 1.5 - time;", "k = 1.5; k' = -1;"):
        model = read(f"{ONE} F: A -> B; piecewise(k*A, k > 0, k*B); A = 1; B = 2; {k}", ["F"])
        a, b = course(model, [0, 1, 2, 3], "A", "B")
        np.testing.assert_allclose(a, [0, 0, 3, 3], atol=1e-9)
        np.testing.assert_allclose(b, [3, 3, 0, 0], atol=1e-9)


def test_a_rate_of_0_does_nothing_until_an_event_sets_it() -> None:
    model = read(f"{ONE} F: A -> B; k*A; O: B => ; B; A = 1; B = 1; k = 0; at (time > 1): k = 2;", ["F"])
    a, b = course(model, [0, 0.5, 1, 1, 2], "A", "B")
    np.testing.assert_allclose(a, [1, 1, 1, 0, 0], atol=1e-9)
    np.testing.assert_allclose(b, [1, np.exp(-0.5), np.exp(-1), 1 + np.exp(-1), np.exp(-1) + np.exp(-2)], rtol=1e-7)


def test_events_set_species_and_stoichiometries_and_equilibria_follow() -> None:
    """A = 2 B; the sum is 3, then 4 + 1 = 5 after A is set to 4, then 10/3 once B is set to 0."""
    model = read(f"{ONE} F: A -> B; A - 2*B; A = 1; B = 2; at (time > 1): A = 4; at (time > 2): B = 0;", ["F"])
    a, b = course(model, [0, 1, 1, 2, 2, 3], "A", "B")
    total = np.array([3, 3, 5, 5, 10 / 3, 10 / 3])
    np.testing.assert_allclose(a, total * 2 / 3, rtol=1e-9)
    np.testing.assert_allclose(b, total / 3, rtol=1e-9)
    model = read(f"{ONE} n = 1; var n; F: n A => B; A; A = 4; B = 0; at (time > 1): n = 4, A = 4;", ["F"])
    np.testing.assert_allclose(course(model, [0, 1, 1, 2], "B")[0], [4, 4, 5, 5], rtol=1e-9)


def test_species_at_the_boundary_are_left_as_they_are() -> None:
    model = read(
        "compartment c = 1; species $A in c, B in c; A = 1; A' = 1; B = 5; F: A -> B; A - 2*B; O: B => ; B;", ["F"]
    )
    a, b = course(model, [0, 1, 2], "A", "B")
    np.testing.assert_allclose(a, [1, 2, 3], rtol=1e-9)
    np.testing.assert_allclose(b, a / 2, rtol=1e-9)


def test_an_equilibrium_at_the_start_sets_off_no_event() -> None:
    model = read(f"{ONE} F: A -> B; A - B; A = 4; B = 0; n = 0; at (A < 3): n = n + 1;", ["F"])
    assert course(model, [0, 1], "n")[0].tolist() == [0.0, 0.0]


def test_members_differ_in_sizes() -> None:
    model = read(
        "compartment c = 2; compartment e = 3; species A in c, B in e; F: A -> B; A - 2*B; A = 1; B = 2;", ["F"]
    )
    sizes = np.array([1.0, 2.0, 4.0])
    result = simulate(model, [0, 1], ["A", "B"], parameters={"c": sizes}, rtol=1e-9)
    np.testing.assert_allclose(result["A"].values[:, 0], (sizes + 6) / (sizes + 1.5), rtol=1e-9)


@pytest.mark.parametrize(
    ("law", "status"),
    [("k", "no_consistent_start"), ("-A*A", "no_consistent_start"), ("k*A*B*(1 - time)", "step_too_small")],
    ids=["no rest", "runs away", "the rest is left"],
)
def test_what_comes_to_no_rest_is_no_result(law: str, status: str) -> None:
    model = read(f"{ONE} F: A -> B; {law}; I: => A; 0.1; k = 1; A = 1; B = 2;", ["F"])
    with pytest.raises(SimulationError, match=status) as raised:
        simulate(model, [0, 2])
    assert "of 'A' gives" in str(explain_failure(model, raised.value.result))


EQUILIBRIUM = read(f"{ONE} F: A -> B; A - 2*B; A = 1; B = 2;", ["F"])


def test_an_initial_value_that_would_change_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="'A' follows fast reactions, so that an initial value alone would change"):
        simulate(EQUILIBRIUM, [0, 1], initial={"A": 2})
    assert simulate(EQUILIBRIUM, [0, 1], ["B"], initial={"B_total": 6})["B"].values == pytest.approx(2)


def test_it_survives_as_plain_data_and_sbml_level_3_version_2_has_no_word_for_it() -> None:
    again = from_document(to_document(EQUILIBRIUM))
    assert (again, again.content_hash) == (EQUILIBRIUM, EQUILIBRIUM.content_hash)
    assert [state.fast for state in again.states] == [state.fast for state in EQUILIBRIUM.states]
    with pytest.raises(InputError, match="'A' follows fast reactions, which SBML Level 3 Version 2 has no word for"):
        write_sbml(EQUILIBRIUM)
    with pytest.raises(InputError, match="a steady state knows no constraints, and these determine 'A'"):
        steady_state(EQUILIBRIUM)
