"""Amounts and concentrations: either reading of a species, whatever its symbol means."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import bonesim
from bonesim.compose.link import compose
from bonesim.compose.module import Module
from bonesim.model.document import from_document, to_document
from bonesim.model.ode import OdeModel, Species
from bonesim.sbml.read import read_antimony, read_sbml

GROWING = """model growing()
  compartment c = 2; c' = 0.5; species S in c; S = 3; -> S; k; k = 4;
end
"""

TEXT = """model tanks()
  compartment c = 2; species A in c; substanceOnly species B in c;
  R: A -> B; k*A*c; A = 3; B = 0; k = 0.5;
end
"""
TIMES = [0.0, 1.0, 2.0]
LEFT = np.exp(-0.5 * np.array(TIMES))
NO_SPECIES = "'R' is no species, so it has no concentration\n  try: one of A"
NO_SIZE = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level2/version4" level="2" version="4"><model id="m">
<listOfCompartments><compartment id="c" spatialDimensions="0"/></listOfCompartments>
<listOfSpecies><species id="A" compartment="c" initialAmount="1"/></listOfSpecies>
</model></sbml>
"""


@pytest.fixture(scope="module")
def tanks() -> OdeModel:
    return read_antimony(TEXT, file="tanks.ant")


def test_a_single_simulation_gives_both_readings(tanks: OdeModel) -> None:
    result = bonesim.simulate(tanks, TIMES, rtol=1e-9)
    readings = {"A": (6 * LEFT, 3 * LEFT), "B": (6 - 6 * LEFT, 3 - 3 * LEFT)}
    for name, (amount, concentration) in readings.items():
        np.testing.assert_allclose(bonesim.amount(result, name), amount, rtol=1e-7)
        np.testing.assert_allclose(bonesim.concentration(result, name), concentration, rtol=1e-7)
        assert bonesim.amount(result, name).dims == result[name].dims


def test_each_member_has_the_size_of_its_own_compartment(tanks: OdeModel) -> None:
    result = bonesim.simulate(tanks, TIMES, ["A"], parameters={"c": [1.0, 4.0]}, rtol=1e-9)
    assert "c" not in result.data_vars
    amount = bonesim.amount(result, "A")
    assert amount.dims == ("member", "time")
    np.testing.assert_allclose(amount, [3 * LEFT, 12 * LEFT], rtol=1e-7)


def test_units_follow_the_reading() -> None:
    text = TEXT.replace("k = 0.5;", "k = 0.5;\n unit volume = 1e-3 litre; unit substance = 1e-9 mole;")
    result = bonesim.simulate(read_antimony(text, file="tanks.ant"), TIMES)
    units = [read(result, name).attrs["units"] for name in "AB" for read in (bonesim.amount, bonesim.concentration)]
    assert units == ["nmol", "nmol/mL", "nmol", "nmol/mL"]
    assert bonesim.amount(result, "A").attrs["long_name"] == "amount of A"


def test_a_rest_has_both_readings(tanks: OdeModel) -> None:
    rest = bonesim.steady_state(tanks, ["B"], parameters={"c": [1.0, 2.0]})
    np.testing.assert_allclose(rest["B"], [3.0, 6.0], rtol=1e-6)
    np.testing.assert_allclose(bonesim.concentration(rest, "B"), [3.0, 3.0], rtol=1e-6)


def test_sizes_are_kept_in_a_file(tanks: OdeModel, tmp_path: Path) -> None:
    result = bonesim.simulate(tanks, TIMES, ["A"])
    result.to_netcdf(tmp_path / "result.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "result.nc", engine="h5netcdf") as stored:
        np.testing.assert_array_equal(bonesim.amount(stored, "A"), bonesim.amount(result, "A"))


def test_what_has_no_such_reading_is_told(tanks: OdeModel) -> None:
    result = bonesim.simulate(tanks, TIMES, ["A", "R"])
    with pytest.raises(bonesim.InputError) as caught:
        bonesim.concentration(result, "R")
    assert str(caught.value) == NO_SPECIES
    assert bonesim.amount(result, "R").identical(result["R"])
    with pytest.raises(bonesim.InputError) as caught:
        bonesim.concentration(result, "B")
    assert str(caught.value) == "the result has no 'B'\n  try: one of A, or name it among the outputs"
    without = bonesim.simulate(read_sbml(NO_SIZE, file="m.xml"), TIMES, ["A"])
    assert bonesim.amount(without, "A").values.tolist() == [1.0, 1.0, 1.0]
    with pytest.raises(bonesim.InputError) as caught:
        bonesim.concentration(without, "A")
    assert str(caught.value) == (
        "'A' has no concentration: its compartment has no size\n"
        "  try: give the compartment a size in the model, and dimensions"
    )


def test_where_a_size_changes_the_amount_is_the_state_and_is_reported_as_concentration() -> None:
    model = read_antimony(GROWING, file="growing.ant")
    assert model.species == (Species("S", False, "c", amount="S_amount"),)
    result = bonesim.simulate(model, TIMES, rtol=1e-9)
    assert list(result.data_vars)[:2] == ["c", "S"]
    np.testing.assert_allclose(bonesim.amount(result, "S"), 6 + 4 * np.array(TIMES), rtol=1e-7)
    more = bonesim.simulate(model, TIMES, ["S"], initial={"S_amount": [6.0, 1.0]}, rtol=1e-9)
    np.testing.assert_allclose(bonesim.amount(more, "S")[1], 1 + 4 * np.array(TIMES), rtol=1e-7)
    with pytest.raises(bonesim.InputError) as caught:
        bonesim.simulate(model, TIMES, initial={"S": 1.0})
    assert str(caught.value) == (
        "'S' is a concentration where the size of the compartment changes, so its amount is set instead\n"
        "  try: set 'S_amount', which is the concentration times the size"
    )


def test_how_symbols_are_read_changes_no_hash_and_goes_with_the_model(tanks: OdeModel) -> None:
    assert tanks.species == (Species("A", False, "c"), Species("B", True, "c"))
    assert tanks.with_(species=()).content_hash == tanks.content_hash
    assert from_document(to_document(tanks)).species == tanks.species
    joined = compose("joined", [Module("t", tanks.with_(time_unit="day"))], ())
    assert joined.species == (Species("t__A", False, "t__c"), Species("t__B", True, "t__c"))
