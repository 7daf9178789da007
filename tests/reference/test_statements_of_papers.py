"""What papers say of their models in words, computed; and where the public files say otherwise."""

from __future__ import annotations

import numpy as np
import pytest

from bonesim.compose.card import Conditions, Switch
from bonesim.experiment import experiment
from bonesim.simulate import simulate

INFECTED = {"OCa_more": 10.0, "bacteria_at_rest": 100.0}


def course(model_id: str, symbol: str, until: float, conditions: Conditions) -> np.ndarray:
    """A quantity at 0 and every day until then."""
    times = np.arange(0.0, until + 1.0)
    return np.asarray(simulate(experiment(model_id, conditions), times, [symbol], rtol=1e-9)[symbol].values)


def pth(effect: float, days: float, **changed: float) -> np.ndarray:
    """Bone mass of `komarova2005` with PTH from day 1 on for some days."""
    switches = (Switch(at=1.0, set={"PTH_effect": effect}), Switch(at=1.0 + days, set={"PTH_effect": 0.0}))
    return course("komarova2005", "bone_mass", 149.0, Conditions(set=changed, switches=switches))


def test_pth_for_a_day_adds_bone_and_pth_that_stays_takes_it() -> None:
    assert pth(0.6, 1.0)[-1] > 100.05
    assert pth(0.05, 500.0)[1:].max() <= 100.0
    assert pth(0.5, 500.0)[1:].max() <= 100.0


def test_osteoclasts_that_die_faster_take_the_gain_by_pth_away() -> None:
    assert pth(0.65, 1.0)[-1] > 100.5
    assert pth(0.65, 1.0, beta1=0.3)[-1] < 100.0


def density(**changed: float) -> np.ndarray:
    """Density of `lio2012` from ten osteoclasts above rest."""
    return course("lio2012", "bone_density", 1000.0, Conditions(set={"OCa_more": 10.0} | changed))


def infected(drug: float = 0.0, start: float = 0.0) -> np.ndarray:
    """Density of `lio2012` in osteomyelitis with an antibiotic."""
    switches = (Switch(at=start, set={"V": drug}),)
    return course(
        "lio2012", "bone_density", 1000.0, Conditions(set=INFECTED, switches=switches, initial={"bacteria": 1.0})
    )


def test_osteomyelitis_takes_more_bone_than_osteoporosis_after_day_600() -> None:
    healthy, porotic, septic = density(), density(g_ageing=2.0, g_por=0.1), infected()
    assert porotic[600] < septic[600]
    assert septic[1000] < porotic[1000] - 10.0
    assert healthy[1000] > 100.0


def test_antibiotics_help_more_the_earlier_they_begin_and_if_they_kill() -> None:
    untreated = infected()[-1]
    stopping, killing = ([infected(drug, start)[-1] for start in (200.0, 400.0, 600.0)] for drug in (0.005, 0.007))
    assert sorted(stopping, reverse=True) == stopping
    assert stopping[0] > 100.0 > stopping[1]
    assert stopping[-1] > untreated
    assert sorted(killing, reverse=True) == killing
    assert all(kill > stop for kill, stop in zip(killing, stopping, strict=True))


@pytest.mark.parametrize(("r11", "growth"), [(0.005, -0.00145), (0.02, 0.0002)])
def test_cycles_with_full_tumour_fade_or_grow_as_figure_8_says(r11: float, growth: float) -> None:
    """Small displacements swing with half the trace of the Jacobian as growth; here by their size a period apart."""
    matrix = np.array([[0.2 * (1.1 * (1.0 + r11) - 1.0), -0.1], [0.02, -0.02 * 1.2]])
    eigenvalue = np.linalg.eigvals(matrix)[0]
    assert eigenvalue.real == pytest.approx(growth, abs=1e-12)
    period = 2.0 * np.pi / abs(eigenvalue.imag)
    model = experiment("ayati2010", Conditions(set={"tumour_at_rest": 100.0, "r11": r11}, initial={"tumour": 100.0}))
    names = ["log_OCa", "log_OBa"]
    rest = [float(simulate(model, [0.0, 1.0], names)[name][0]) for name in names]
    shift = 1e-4
    moved = simulate(model, [0.0, period], names, initial={"log_OCa": rest[0] + shift}, rtol=1e-11)
    left = float(moved["log_OCa"][-1]) - rest[0]
    # Terms of second order, a few shifts of the displacement.
    assert left / shift == pytest.approx(np.exp(growth * period), abs=20 * shift)
