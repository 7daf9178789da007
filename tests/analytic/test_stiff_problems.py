"""The classic stiff problems against the reference end values of the literature.

F. Mazzia & C. Magherini, Test Set for Initial Value Problem Solvers, release 2.4, Department of Mathematics,
University of Bari, 2008, https://archimede.uniba.it/~testset/: problems HIRES, ROBER, VDPOL (modified), OREGO, `solut`
of each: RADAU in quadruple precision at 1.1e-18. Van der Pol's equation on the fast scale of E. Hairer & G. Wanner,
Solving Ordinary Differential Equations II, section IV.10, doi:10.1007/978-3-642-05221-7, with their values at
t = 1, 2, ..., 11: http://www.unige.ch/~hairer/testset/testset.html, stiff/vdpol/res_exact_pic.
"""

from __future__ import annotations

import numpy as np
import pytest
from equations import model, solve

from bonesim.model.ode import OdeModel
from bonesim.solve.methods.rosenbrock import METHODS
from bonesim.solve.settings import Settings, default_atol

pytestmark = pytest.mark.usefixtures("backend")

ROBERTSON = model(
    {
        "a": (1, "-0.04*a + 1e4*b*c"),
        "b": (0, "0.04*a - 1e4*b*c - 3e7*b*b"),
        "c": (0, "3e7*b*b"),
    }
)
VAN_DER_POL = model({"x": (2, "v"), "v": (0, "mu*(1 - x*x)*v - x")}, {"mu": 1000})
OREGONATOR = model(
    {"x": (1, "s*(y + x*(1 - q*x - y))"), "y": (2, "(z - (1 + x)*y)/s"), "z": (3, "w*(x - z)")},
    {"s": 77.27, "q": 8.375e-6, "w": 0.161},
)
HIRES = model(
    {
        "y1": (1, "-1.71*y1 + 0.43*y2 + 8.32*y3 + 0.0007"),
        "y2": (0, "1.71*y1 - 8.75*y2"),
        "y3": (0, "-10.03*y3 + 0.43*y4 + 0.035*y5"),
        "y4": (0, "8.32*y2 + 1.71*y3 - 1.12*y4"),
        "y5": (0, "-1.745*y5 + 0.43*y6 + 0.43*y7"),
        "y6": (0, "-280*y6*y8 + 0.69*y4 + 1.71*y5 - 0.43*y6 + 0.69*y7"),
        "y7": (0, "280*y6*y8 - 1.81*y7"),
        "y8": (0.0057, "-280*y6*y8 + 1.81*y7"),
    }
)
PROBLEMS = {
    "rober": (ROBERTSON, 1e11, [0.2083340149701255e-07, 0.8333360770334713e-13, 0.9999999791665050]),
    "vdpol": (VAN_DER_POL, 2000.0, [0.1706167732170469e1, -0.8928097010248125e-3]),
    "orego": (OREGONATOR, 360.0, [0.1000814870318523e1, 0.1228178521549917e4, 0.1320554942846706e3]),
    "hires": (
        HIRES,
        321.8122,
        [
            0.7371312573325668e-3,
            0.1442485726316185e-3,
            0.5888729740967575e-4,
            0.1175651343283149e-2,
            0.2386356198831331e-2,
            0.6238968252742796e-2,
            0.2849998395185769e-2,
            0.2850001604814231e-2,
        ],
    ),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("ode", "end", "reference"), PROBLEMS.values(), ids=PROBLEMS)
def test_end_values_of_the_test_set(ode: OdeModel, end: float, reference: list[float], method: str) -> None:
    rtol = 1e-6
    solution = solve(ode, [0.0, end], settings=Settings(rtol=rtol, method=method))
    assert solution.ok, solution.cause
    atol = default_atol(rtol, np.array([abs(float(state.initial.value)) for state in ode.states])[:, None])[:, 0]
    # Tolerance is per step; these problems forget errors (or, the oscillators, carry them on as a small shift of
    # phase), so that the error of all steps stays within ten times the tolerance of one.
    error = np.abs(solution.y[-1, :, 0] - reference) / (atol + rtol * np.abs(reference))
    assert error.max() < 10


RELAXATION = model({"x": (2, "v"), "v": (0, "((1 - x*x)*v - x)/eps")}, {"eps": 1e-6})
RELAXED = np.array(
    [
        [-0.1863646254808130e1, 0.7535430865435460],
        [0.1706167732170456e1, -0.8928097010248257],
        [-0.1510606936744095e1, 0.1178380000730945e1],
        [0.1194414677695905e1, -0.2799585996540082e1],
        [0.1890428596416747e1, -0.7345118680166940],
        [-0.1737716306805883e1, 0.8604008653025923],
        [0.1551614645548223e1, -0.1102382892533321e1],
        [-0.1278631984330405e1, 0.2013890883009155e1],
        [-0.1916552949489830e1, 0.7169573003463228],
        [0.1768163792391936e1, -0.8315276407898496],
        [-0.1590150544829062e1, 0.1040279389212485e1],
    ]
)


@pytest.mark.parametrize("method", METHODS)
def test_the_course_of_van_der_pols_oscillator(method: str) -> None:
    rtol = 1e-5
    y = solve(RELAXATION, np.arange(12.0), settings=Settings(rtol=rtol, method=method)).y[1:, :, 0]
    # An error becomes a shift of time, which is carried on and does not grow: a few rtol for each of the slow parts.
    # At t = 4, where the next jump is nearest, v = x/(1 - x*x) changes within a unit of time by 13 times itself.
    assert np.abs(y / RELAXED - 1).max() < 100 * rtol


@pytest.mark.parametrize("method", METHODS)
def test_robertson_loses_no_mass_in_eleven_decades(method: str) -> None:
    times = np.concatenate([[0.0], np.logspace(-6, 11, 18)])
    solution = solve(ROBERTSON, times, settings=Settings(rtol=1e-8, method=method))
    # Every stage keeps the sum but for rounding, some 1e-16 times the condition of I/(h gamma) - J, up to 1e4 h: the
    # step control bounds what remains by the tolerance of the step.
    np.testing.assert_allclose(solution.y[:, :, 0].sum(axis=1), 1.0, rtol=1e-8)
