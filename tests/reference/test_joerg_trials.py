"""Deviations from trials as Joerg et al. 2022 give them (Appendix 3, table 3), by joerg2022 from their data.

Densities of the total hip are over that at 25 years: means of women by age (Looker et al. 1998), then the course of a
trial set upon them, from its baseline on. Data and table are those of the authors' public code.
"""

from __future__ import annotations

import numpy as np
import pytest

from bonesim.model.expr import Call, Num, Sym
from bonesim.model.ode import TimedEvent
from bonesim.sbml.library import read_library_model
from bonesim.simulate import simulate

THEIR_ERROR = 1.5e-4
"""They integrate at a relative tolerance of 1e-3, which moves single densities by up to 6e-4."""

AGEING = {9125: 1.0, 12775: 0.98953, 16425: 0.96335, 20075: 0.91728}
AT_65 = {23725: 0.84712}

Events = tuple[TimedEvent, ...]


def shots(drug: str, amount: float, first: int, every: int, count: int) -> Events:
    filled = Call("add", (Sym(drug), Num(amount)))
    return (TimedEvent("shot", Num(first), ((drug, filled),), Num(every), count),)


def evenly(rate: str, amount: float, first: int, last: int) -> Events:
    return tuple(TimedEvent(f"at_{day}", Num(day), ((rate, Num(to)),)) for day, to in ((first, amount), (last, 0.0)))


TRIALS: dict[str, tuple[dict[int, float], Events, float]] = {
    "placebo, Recknor 2015": (
        AT_65 | {23893: 0.83743, 24089: 0.84206, 24173: 0.83820, 24257: 0.83768, 24341: 0.83768, 24453: 0.83588},
        (),
        0.00361,
    ),
    "blosozumab 180 mg every 4 weeks, Recknor 2015": (
        AT_65 | {23893: 0.85493, 24089: 0.86471, 24173: 0.85853, 24257: 0.85621, 24341: 0.85441, 24453: 0.84824},
        shots("blosozumab", 180.0, 23725, 28, 13),
        0.00609,
    ),
    "denosumab 14 mg every 6 months, McClung 2006": (
        {22995: 0.86115, 23027: 0.86620, 23088: 0.87139, 23176: 0.87374, 23359: 0.87791},
        shots("denosumab", 14.0, 22995, 180, 2),
        0.00202,
    ),
    "teriparatide 20 ug a day, Leder 2014": (
        AT_65 | {24080: 0.84009, 24171: 0.84408, 24262: 0.84806, 24445: 0.84535, 24627: 0.84625, 24810: 0.85670},
        evenly("teriparatide_rate", 20.0, 24080, 24810),
        0.00378,
    ),
}


@pytest.mark.parametrize("trial", TRIALS)
def test_mean_deviation_from_a_trial_is_the_one_that_is_printed(trial: str) -> None:
    course, events, printed = TRIALS[trial]
    measured = AGEING | course
    model = read_library_model("joerg2022").with_(events=events)
    computed = simulate(model, [0.0, *measured], ["BMD_relative"], rtol=1e-9)["BMD_relative"].values[1:]
    deviation = np.abs(computed - np.array([*measured.values()])).mean()
    assert deviation == pytest.approx(printed, abs=THEIR_ERROR)
