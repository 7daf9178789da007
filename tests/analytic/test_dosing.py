"""One and two compartments under boluses and infusions, against closed forms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from equations import event, model, solve

from bonesim.model.ode import OdeModel, TimedEvent
from bonesim.solve.methods.rosenbrock import METHODS
from bonesim.solve.settings import Settings

pytestmark = pytest.mark.usefixtures("backend")

RTOL = 1e-7
MINUTE = 1 / 1440


@dataclass(frozen=True)
class Bolus:
    """`amount` at `time`, `count` times, `every` apart."""

    time: float
    amount: float
    every: float = 0.0
    count: int = 1

    def events(self) -> Sequence[TimedEvent]:
        return [event(self.time, every=self.every, count=self.count, central=f"central + {self.amount!r}")]

    def response(self, t: np.ndarray, modes: np.ndarray, weights: np.ndarray) -> np.ndarray:
        since = t[:, None] - (self.time + self.every * np.arange(self.count))
        return self.amount * np.where(since >= 0, decay(since, modes) @ weights, 0.0).sum(axis=1)


@dataclass(frozen=True)
class Infusion:
    """`rate` from `start` to `end`."""

    start: float
    end: float
    rate: float

    def events(self) -> Sequence[TimedEvent]:
        return [
            event(self.start, rate=f"rate + {self.rate!r}"),
            event(self.end, rate=f"rate - {self.rate!r}"),
        ]

    def response(self, t: np.ndarray, modes: np.ndarray, weights: np.ndarray) -> np.ndarray:
        def filled(since: np.ndarray) -> np.ndarray:
            return -np.expm1(-modes * np.maximum(since, 0.0)[:, None]) / modes @ weights

        # exp(-a (t - end)) - exp(-a (t - start)) by expm1, so that a window of minutes keeps its digits
        after = decay(t[:, None] - self.end, modes)[:, 0] * -np.expm1(-modes * (self.end - self.start)) / modes
        return self.rate * np.where(t >= self.end, after @ weights, filled(t - self.start))


def decay(since: np.ndarray, modes: np.ndarray) -> np.ndarray:
    """exp(-mode * since), 1 before the dose (which is then left out)."""
    return np.exp(-modes * np.maximum(since, 0.0)[..., None])


def compartments(regimen: Sequence[Bolus | Infusion], **rates: float) -> OdeModel:
    """Central and peripheral amounts with elimination k10 and exchange k12, k21 (1/day)."""
    return model(
        {
            "central": (0, "rate - (k10 + k12)*central + k21*peripheral"),
            "peripheral": (0, "k12*central - k21*peripheral"),
        },
        {"k10": 0.0, "k12": 0.0, "k21": 0.0, "rate": 0.0} | rates,
        events=[one for dose in regimen for one in dose.events()],
    )


def central(regimen: Sequence[Bolus | Infusion], t: np.ndarray, k10: float, k12: float, k21: float) -> np.ndarray:
    """(time,) the amount in the central compartment, by superposition of (bi-)exponentials.

    Gibaldi & Perrier, Pharmacokinetics, 2nd edition, chapters 1 and 2: unit response
    ((a - k21) exp(-a t) + (k21 - b) exp(-b t))/(a - b), a + b = k10 + k12 + k21, a b = k10 k21.
    """
    total = k10 + k12 + k21
    a = (total + np.sqrt(total**2 - 4 * k10 * k21)) / 2
    b = k10 * k21 / a
    modes, weights = np.array([a, b]), np.array([a - k21, k21 - b]) / (a - b)
    return sum(dose.response(t, modes, weights) for dose in regimen)


ONE = {"k10": 0.4, "k12": 0.0, "k21": 0.03}  # without k12 the peripheral compartment is not there
TWO = {"k10": 50.0, "k12": 20.0, "k21": 3.0}  # elimination in minutes, return in hours
REGIMENS = {
    "bolus at the start": [Bolus(0.0, 3.0)],
    "bolus between outputs": [Bolus(2.3, 3.0)],
    "bolus at an output": [Bolus(7.0, 3.0)],
    "bolus at the end": [Bolus(84.0, 3.0)],
    "two at one time": [Bolus(7.0, 3.0), Bolus(7.0, 0.5)],
    "two a rounding error apart": [Bolus(0.3, 3.0), Bolus(0.1, 0.5, every=0.1, count=4)],
    "all at one time": [Bolus(7.0, 3.0, every=0.0, count=3)],
    "weekly, each at an output": [Bolus(0.0, 3.0, every=7.0, count=13)],
    "daily, most between outputs": [Bolus(0.5, 1.0, every=1.0, count=20)],
    "doses that grow": [Bolus(1.0, 1e-6), Bolus(20.0, 1.0), Bolus(40.0, 1e6)],
    "infusion": [Infusion(20.0, 80.0, 0.7)],
    "infusion of the whole time": [Infusion(0.0, 84.0, 0.7)],
    "overlapping infusions": [Infusion(10.0, 30.0, 0.7), Infusion(20.0, 50.0, 0.2), Infusion(25.0, 26.0, 5.0)],
    "back to back": [Infusion(10.0, 30.0, 0.7), Infusion(30.0, 50.0, 0.2)],
    "infusions of minutes": [Infusion(day, day + 2 * MINUTE, 1000.0) for day in (7.0, 30.2, 83.99)],
    "bolus into an infusion": [Infusion(10.0, 30.0, 0.7), Bolus(20.0, 5.0)],
}
WEEKS = np.arange(0.0, 85.0, 7.0)


def error(regimen: Sequence[Bolus | Infusion], t: np.ndarray, rates: dict[str, float], method: str) -> float:
    """Largest error of the central amount, relative to the largest amount that was ever given."""
    solution = solve(compartments(regimen, **rates), t, settings=Settings(rtol=RTOL, method=method))
    assert solution.ok, solution.cause
    size = max(dose.amount if isinstance(dose, Bolus) else dose.rate * (dose.end - dose.start) for dose in regimen)
    return float(np.abs(solution.y[:, 0, 0] - central(regimen, t, **rates)).max() / size)


# The system forgets: an error decays with the amount itself, so that what is left is that of the steps within a time
# constant, some tens; the estimate that is held below rtol is that of a solution one order lower than the one carried
# on, which makes up for their number. A dose missed, doubled or given at the next step is 1.
TOLERANCE = RTOL


@pytest.mark.parametrize("regimen", REGIMENS.values(), ids=REGIMENS)
@pytest.mark.parametrize("rates", [ONE, TWO], ids=["one compartment", "two compartments"])
def test_outputs_of_weeks(regimen: Sequence[Bolus | Infusion], rates: dict[str, float]) -> None:
    assert error(regimen, WEEKS, rates, "rodas5p") < TOLERANCE


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("regimen", REGIMENS.values(), ids=REGIMENS)
def test_outputs_between_steps(regimen: Sequence[Bolus | Infusion], method: str) -> None:
    grid = np.unique(np.concatenate([np.linspace(0.0, 84.0, 301), 7.0 + np.linspace(0.0, 4 * MINUTE, 21)]))
    # The continuous extension is of the order of the estimate, not of the step.
    assert error(regimen, grid, TWO, method) < 5 * TOLERANCE


@pytest.mark.parametrize("rest", [1e-6, 1.0, 1e3, 1e6])
def test_a_dose_after_any_rest_is_met_exactly(rest: float) -> None:
    t = rest + np.array([-rest, -0.5 * rest, 0.0, 0.001, 0.02, 1.0])
    assert error([Bolus(rest, 3.0), Infusion(rest + 0.01, rest + 0.011, 1e3)], t, TWO, "rodas5p") < TOLERANCE


def test_output_at_the_time_of_a_dose_is_the_value_after_it() -> None:
    ode = compartments([Bolus(0.0, 1.0), Bolus(1.0, 2.0), Bolus(2.0, 4.0)])
    y = solve(ode, [0.0, 0.5, 1.0, 1.5, 2.0]).y[:, 0, 0]
    np.testing.assert_array_equal(y, [1.0, 1.0, 3.0, 3.0, 7.0])


def test_what_lies_before_the_start_or_after_the_end_does_not_happen() -> None:
    ode = compartments([Bolus(-1.0, 1.0), Bolus(4.999, 2.0), Bolus(5.0, 4.0), Bolus(7.001, 8.0), Bolus(5.0, 16.0)])
    y = solve(ode, [5.0, 6.0, 7.0]).y[:, 0, 0]
    np.testing.assert_array_equal(y, [20.0, 20.0, 20.0])


def test_each_member_has_its_own_calendar() -> None:
    ode = model({"y": (0, 0)}, {"first": 1.0, "gap": 1.0}, events=[event("first", every="gap", count=3, y="y + 1")])
    y = solve(ode, [0.0, 1.0, 2.0, 3.0, 4.0], first=[1.0, 0.5, 4.0, np.inf, 3.0], gap=[1.0, 2.0, 0.0, 1.0, -1.0]).y
    np.testing.assert_array_equal(
        y[:, 0], np.array([[0, 1, 2, 3, 3], [0, 1, 1, 2, 2], [0, 0, 0, 0, 3], [0, 0, 0, 0, 0], [0, 1, 2, 3, 3]]).T
    )


def test_time_may_be_measured_in_seconds_or_centuries() -> None:
    """The same course in units a billion times smaller and larger: nothing in the solver knows a natural time."""
    t, regimen = np.array([0.0, 7.0, 14.0]), [Bolus(7.0, 3.0)]
    reference = solve(compartments(regimen, **TWO), t).y[:, 0, 0]
    for unit in (2.0**-30, 2.0**30):
        scaled = {name: rate / unit for name, rate in TWO.items()}
        ode = compartments([Bolus(7.0 * unit, 3.0)], **scaled)
        # powers of two change no rounding, so that even the bits agree
        np.testing.assert_array_equal(solve(ode, t * unit).y[:, 0, 0], reference)
