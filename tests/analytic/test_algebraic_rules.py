"""Algebraic rules of SBML against closed forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from chemistry import read
from scipy.special import lambertw

from bonesim.errors import SimulationError
from bonesim.failure import explain_failure
from bonesim.model.ode import OdeModel
from bonesim.simulate import simulate


def course(model: OdeModel, times: list[float] | np.ndarray, *names: str, backend: str) -> list[np.ndarray]:
    result = simulate(model, times, list(names), rtol=1e-9, atol=1e-12, backend=backend)
    return [result[name].values for name in names]


def test_an_enzyme_at_its_quasi_steady_state(backend: str) -> None:
    """Its complex by a rule that is linear in it; substrate by Lambert's W, doi:10.1006/jtbi.1997.0425."""
    model = read(
        "compartment c = 1; species S in c; S = 3; var C; on = 1e6; off = 3e5; k = 2e5; E = 1e-5; R: S -> ; c*k*C;",
        zero=["on*(E - C)*S - (off + k)*C"],
    )
    times = np.linspace(0, 3, 13)
    s, bound = course(model, times, "S", "C", backend=backend)
    exact = 0.5 * lambertw(6 * np.exp(6 - 4 * times)).real
    np.testing.assert_allclose(s, exact, rtol=1e-7)
    np.testing.assert_allclose(bound, 1e-5 * exact / (0.5 + exact), rtol=1e-7)


@pytest.mark.parametrize("q", [0.0, 1e-14, 1e-8, 0.5])
def test_a_system_is_not_divided_by_a_parameter_that_is_all_but_0(q: float, backend: str) -> None:
    """Three rules that determine three variables together; the matrix is regular for all these numbers."""
    model = read(
        "s = 1; s' = -s; var a; var b; var c; a = 1; b = 1; c = 1; p = 0.5; q = 0.5;",
        zero=["p*a + b + q*c - s - 1", "a + p*b - 2*s", "c + q*a + b - 3"],
    )
    model = model.with_(parameters=tuple(replace(one, value=q) if one.id == "q" else one for one in model.parameters))
    times = np.linspace(0, 2, 5)
    s, *found = course(model, times, "s", "a", "b", "c", backend=backend)
    matrix = np.array([[0.5, 1, q], [1, 0.5, 0], [q, 1, 1]])
    np.testing.assert_allclose(found, np.linalg.solve(matrix, [s + 1, 2 * s, np.full(5, 3.0)]), rtol=1e-6)


def test_a_total_and_an_equilibrium_as_one_system(backend: str) -> None:
    """A dimer of which the whole is drained: T' = -k T, A + 2 D = T, D = K A^2."""
    model = read("T = 2; T' = -k*T; k = 0.4; K = 3; A = 0.5; var A; var D; D = 0;", zero=["A + 2*D - T", "D - K*A*A"])
    times = np.linspace(0, 5, 11)
    a, d = course(model, times, "A", "D", backend=backend)
    total = 2 * np.exp(-0.4 * times)
    exact = (-1 + np.sqrt(1 + 24 * total)) / 12
    np.testing.assert_allclose(a, exact, rtol=1e-8)
    np.testing.assert_allclose(d, 3 * exact**2, rtol=1e-8)


@pytest.mark.parametrize(("guess", "root"), [(0.5, 1.0), (-0.5, -1.0)])
def test_of_two_solutions_the_one_by_the_declared_value_is_taken(guess: float, root: float, backend: str) -> None:
    model = read(f"s = 1; s' = 1; z = {guess}; var z;", zero=["z*z - s"])
    (z,) = course(model, [0, 3], "z", backend=backend)
    np.testing.assert_allclose(z, root * np.sqrt([1, 4]), rtol=1e-8)


def test_an_event_moves_what_the_rule_follows(backend: str) -> None:
    model = read("x = 2; x' = -x; var z; z = 1; at (time > 1): x = x + 1;", zero=["z*z*z + z - x"])
    times = np.array([0, 0.5, 1.5, 2.0])
    x, z = course(model, times, "x", "z", backend=backend)
    np.testing.assert_allclose(x, 2 * np.exp(-times) + (times > 1) * np.exp(1 - times), rtol=1e-8)
    np.testing.assert_allclose(z**3 + z, x, rtol=1e-8)


def test_an_initial_assignment_sees_what_a_solved_rule_gives(backend: str) -> None:
    model = read("x = 2; x' = -x; z = 7; var z; y = 3*z; y' = 0;", zero=["2*z - x"])
    assert course(model, [0, 1], "y", backend=backend)[0].tolist() == [3.0, 3.0]


def test_a_rule_without_solution_is_told_with_its_line(backend: str) -> None:
    model = read("x = 1; x' = 1; z = 1; var z;", zero=["z*z + x"])
    with pytest.raises(SimulationError, match=r"no_consistent_start \(from z\)") as raised:
        simulate(model, [0, 1], backend=backend)
    assert "the constraint written at 'z' gives" in str(explain_failure(model, raised.value.result))
    assert "(m.xml:8)" in str(explain_failure(model, raised.value.result))
