"""Compartments that change, stoichiometries and conversion factors: closed forms, and libRoadRunner where it has them.

All constants are round, so that the closed forms can be read beside the models. The events are at t = 1.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bonesim.model.ode import OdeModel
from bonesim.sbml.antimony import antimony_to_sbml
from bonesim.sbml.read import read_antimony
from bonesim.simulate import simulate

Course = Callable[[np.ndarray], np.ndarray]

END, POINTS = 3.0, 13
TIMES = np.linspace(0.0, END, POINTS)

OTHERWISE = {"the rate of a concentration where a rule gives the size"}
"""What libRoadRunner 2.10 does otherwise: it leaves out how the size grows."""


def later(before: Course, after: Course) -> Course:
    """A course that an event changes."""
    return lambda t: np.where(t < 1, before(t), after(t))


def size(t: np.ndarray) -> np.ndarray:
    """Of the compartment c wherever it grows."""
    return 2 + 0.5 * t


GROWING = "compartment c = 2; c' = 0.5;"
STEPPING = "compartment c = 2; E: at (time >= 1): c = 4;"
RULED = "compartment c; c := 2 + 0.5*time;"

MODELS: dict[str, tuple[list[str], dict[str, Course]]] = {
    "what nothing changes is diluted": (
        [GROWING, "species S in c; S = 3; species $B in c; B = 1; const species F in c; F = 5;"],
        {"S": lambda t: 6 / size(t), "B": lambda t: 2 / size(t), "F": lambda t: 10 / size(t), "c": size},
    ),
    "by a rule for the size": ([RULED, "species S in c; S = 3;"], {"S": lambda t: 6 / size(t)}),
    "by an event": ([STEPPING, "species S in c; S = 3;"], {"S": later(lambda t: 3 + 0 * t, lambda t: 1.5 + 0 * t)}),
    "a reaction adds an amount": (
        [GROWING, "species S in c; S = 3; -> S; k; k = 4;"],
        {"S": lambda t: (6 + 4 * t) / size(t)},
    ),
    "between two compartments": (
        [GROWING, "compartment d = 5; species A in c; A = 3; species B in d; B = 0;", "J: A -> 2 B; k*A*c; k = 0.7;"],
        {
            "A": lambda t: 6 * np.exp(-0.7 * t) / size(t),
            "B": lambda t: 12 * (1 - np.exp(-0.7 * t)) / 5,
            "J": lambda t: 4.2 * np.exp(-0.7 * t),
        },
    ),
    "amounts as symbols": (
        [GROWING, "substanceOnly species S in c; S = 3; S -> ; k*S; k = 0.7;"],
        {"S": lambda t: 3 * np.exp(-0.7 * t)},
    ),
    "the rate of a concentration": (
        [GROWING, "species S in c; S = 3; S' = 0.4; a := S*c;"],
        {"S": lambda t: 3 + 0.4 * t, "a": lambda t: (3 + 0.4 * t) * size(t)},
    ),
    "the rate of a concentration where a rule gives the size": (
        [RULED, "species S in c; S = 3; S' = 0.4*c;"],
        {"S": lambda t: 3 + 0.4 * (2 * t + 0.25 * t**2)},
    ),
    "the rate of a concentration where an event sets the size": (
        [STEPPING, "species S in c; S = 3; S' = 0.4;"],
        {"S": later(lambda t: 3 + 0.4 * t, lambda t: 1.7 + 0.4 * (t - 1))},
    ),
    "the rate of an amount": (
        [GROWING, "substanceOnly species S in c; S = 3; S' = 0.4;"],
        {"S": lambda t: 3 + 0.4 * t},
    ),
    "an event sets a concentration": (
        [GROWING, "species S in c; S = 3; F: at (time >= 1): S = S + 2;"],
        {"S": later(lambda t: 6 / size(t), lambda t: (6 / 2.5 + 2) * 2.5 / size(t))},
    ),
    "an event sets concentration and size, each with the other as before": (
        ["compartment c = 2; species S in c; S = 3; F: at (time >= 1): S = 0.2, c = 4;"],
        {"S": later(lambda t: 3 + 0 * t, lambda t: 0.1 + 0 * t)},
    ),
    "initial assignments to both": (
        ["compartment c; c = 2*k; c' = 0.5; species S in c; S = 3*c; k = 1;"],
        {"S": lambda t: 12 / size(t)},
    ),
    "a rule for a concentration": (
        [GROWING, "species S in c; S := 3*c; species T in c; T = 0; -> T; S;"],
        {"S": lambda t: 3 * size(t), "T": lambda t: (6 * t + 0.75 * t**2) / size(t)},
    ),
    "a size that states change": (
        ["compartment c; x = 2; x' = 0.5; c := x; species S in c; S = 3; S -> ; k*S*c; k = 0.7;"],
        {"S": lambda t: 6 * np.exp(-0.7 * t) / size(t)},
    ),
}


def _text(lines: list[str]) -> str:
    return "model m()\n" + "\n".join(lines) + "\nend\n"


@pytest.fixture(scope="module", params=MODELS)
def named(request: pytest.FixtureRequest) -> tuple[str, OdeModel, dict[str, Course]]:
    lines, courses = MODELS[request.param]
    text = _text(lines)
    return text, read_antimony(text, file="m.ant"), courses


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
def test_the_closed_form(named: tuple[str, OdeModel, dict[str, Course]], backend: str) -> None:
    _, model, courses = named
    result = simulate(model, TIMES, list(courses), rtol=1e-9, backend=backend)
    for name, course in courses.items():
        # Errors of steps add up over a few dozen of them, all quantities are about 1.
        np.testing.assert_allclose(result[name], course(TIMES), rtol=1e-7, err_msg=name)


def test_libroadrunner_agrees(named: tuple[str, OdeModel, dict[str, Course]]) -> None:
    roadrunner = pytest.importorskip("roadrunner")
    text, model, courses = named
    if any(text == _text(MODELS[name][0]) for name in OTHERWISE):
        pytest.skip("libRoadRunner does otherwise")
    runner = roadrunner.RoadRunner(antimony_to_sbml(text, file="m.ant"))
    runner.integrator.absolute_tolerance, runner.integrator.relative_tolerance = 1e-12, 1e-10
    means = {one.id: one for one in model.species}
    symbols = [f"[{name}]" if name in means and not means[name].is_amount else name for name in courses]
    runner.timeCourseSelections = symbols
    theirs = np.array(runner.simulate(0, END, POINTS))
    ours = simulate(model, TIMES, list(courses), rtol=1e-9)
    for column, name in enumerate(courses):
        np.testing.assert_allclose(ours[name], theirs[:, column], rtol=1e-6, err_msg=name)
