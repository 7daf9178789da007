"""The unit of a lot was never looked at: particles per milligram counted as particles per microgram."""

from __future__ import annotations

from dataclasses import replace

import pytest
from questions import bolus, question

from bonesim.catalog import load_catalog
from bonesim.catalog.schema import Lot, Number
from bonesim.scenario.exposure import dose_groups


@pytest.mark.parametrize(("value", "unit"), [(3e8, "particle/ug"), (3e11, "particle/mg"), (3e5, "particle/ng")])
def test_one_lot_in_three_units(value: float, unit: str) -> None:
    per_mass = Number(value=value, unit=unit, low=value, high=value, basis="measured", source="made up for a test")
    catalog = load_catalog()
    source = catalog.sources["macrophage_m2"].model_copy(update={"lot": Lot(particles_per_ug=per_mass)})
    (group,) = dose_groups(question(bolus(amount="10 ug")), replace(catalog, sources={"macrophage_m2": source}))
    assert group.size == pytest.approx(3e9, rel=1e-12)
