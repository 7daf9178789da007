"""`pharmacology.amount`: several ways to state a dose, one number of vesicles."""

from __future__ import annotations

import pytest

from bonesim.errors import InputError, Place
from bonesim.pharmacology.amount import amount_kind, to_particles
from bonesim.units import Quantity, Unit

MASS = Quantity.parse("250 g")
PER_UG = 2e9
KINDS = "ug, particles, cells, ug/kg, particles/kg, cells/kg, ug/day, particles/day"


@pytest.mark.parametrize(
    ("text", "particles"),
    [
        ("100 ug", 2e11),
        ("0.1 mg", 2e11),
        ("1e10 particles", 1e10),
        ("400 ug/kg", 2e11),
        ("0.4 ug/g", 2e11),
        ("4e10 particles/kg", 1e10),
        ("0 ug", 0.0),
        ("1e6 cells", 3e9),
        ("4e6 cells/kg", 3e9),
        ("5 ug/day", 1e10),
        ("35 ug/week", 1e10),
        ("1e10 particles/day", 1e10),
    ],
)
def test_amount_in_vesicles(text, particles):
    found = to_particles(Quantity.parse(text), mass=MASS, particles_per_ug=PER_UG, particles_per_cell=3e3)
    assert found == pytest.approx(particles, rel=1e-15)


@pytest.mark.parametrize("text", ["100 ug", "1e10 particles"])
def test_the_mass_of_the_body_matters_per_mass_only(text):
    amount = Quantity.parse(text)
    without = to_particles(amount, mass=None, particles_per_ug=PER_UG)
    assert without == to_particles(amount, mass=MASS, particles_per_ug=PER_UG)


def test_per_mass_without_the_mass():
    place = Place("s.yaml", 7, "doses[0].amount")
    with pytest.raises(InputError) as caught:
        to_particles(Quantity.parse("4 ug/kg"), mass=None, particles_per_ug=PER_UG, place=place)
    assert str(caught.value) == (
        "s.yaml:7: doses[0].amount: '4 ug/kg' is per body mass, and the mass of the subject is not known\n"
        "  try: add a mass to the subject, e.g. 'mass: 250 g'"
    )


def test_cells_without_vesicles_per_cell():
    place = Place("s.yaml", 7, "doses[0].amount")
    with pytest.raises(InputError) as caught:
        to_particles(Quantity.parse("1e6 cells"), mass=MASS, particles_per_ug=PER_UG, place=place)
    assert str(caught.value) == (
        "s.yaml:7: doses[0].amount: '1e6 cells' is in parent cells, and the lot does not say how many vesicles a cell "
        "gave\n  try: an amount in ug or particles, or particles_per_cell in the lot"
    )


@pytest.mark.parametrize("text", ["day", "dimensionless", "ug/mL", "cells/day"])
def test_no_amount_of_vesicles(text):
    with pytest.raises(InputError) as caught:
        to_particles(Quantity(1.0, Unit.parse(text), text), mass=MASS, particles_per_ug=PER_UG)
    assert str(caught.value) == (f"'{text}' is no unit of an amount of vesicles\n  try: one of {KINDS}")


@pytest.mark.parametrize("text", ["5 particles/ug", "1e-9 ug/ug", "5 particles/mg"])
def test_per_mass_of_protein_is_no_amount_per_body(text: str) -> None:
    unit = Quantity.parse(text).unit
    with pytest.raises(InputError) as caught:
        amount_kind(unit)
    told = f"'{unit.text}' is no unit of an amount of vesicles\n  try: one of {KINDS}"
    assert str(caught.value) == told
