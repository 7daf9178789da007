"""With a Hill exponent that is no whole number, a load of -1e-16 gave NaN: steps were refused until they were tiny."""

from __future__ import annotations

from signals import edge, network, number, source

from bonesim.model.derive import derivative
from bonesim.model.evaluate import evaluate
from bonesim.model.expr import Sym

LOAD = "BMSC__vesicles_of_cell_exo"


def test_a_load_just_below_zero_has_no_action() -> None:
    compiled = network(source(edge("a", "A+")), priors={"hill": number(1.7)})
    action = compiled.model.by_id["BMSC__saturation_by_cell_exo"].expr  # type: ignore[union-attr]
    values = {"hill": 1.7, "V50": 2.0, LOAD: -1e-16}
    assert evaluate(action, values) == 0.0


def test_the_slope_at_no_load_is_that_of_the_hill_function() -> None:
    compiled = network(source(edge("a", "A+")))
    action = compiled.model.by_id["BMSC__saturation_by_cell_exo"].expr  # type: ignore[union-attr]
    slope = derivative(action, Sym(LOAD))
    assert evaluate(slope, {"hill": 1.0, "V50": 2.0, LOAD: 0.0}) == 0.5
