"""`pharmacology.amount`: four ways to state a dose, one number of vesicles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonesim.errors import InputError, Place
from bonesim.pharmacology.amount import KINDS, amount_kind, from_particles, to_particles
from bonesim.units import Quantity, Unit

MASS = Quantity.parse("250 g")
PER_UG = 2e9


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
    ],
)
def test_amount_in_vesicles(text, particles):
    found = to_particles(Quantity.parse(text), mass=MASS, particles_per_ug=PER_UG)
    assert found == pytest.approx(particles, rel=1e-15)


@pytest.mark.parametrize("text", ["100 ug", "1e10 particles"])
def test_the_mass_of_the_body_matters_per_mass_only(text):
    amount = Quantity.parse(text)
    without = to_particles(amount, mass=None, particles_per_ug=PER_UG)
    assert without == to_particles(amount, mass=MASS, particles_per_ug=PER_UG)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.unit.text)
@given(number=st.floats(1e-3, 1e12))
def test_back_and_forth(kind, number):
    amount = Quantity(number, kind.unit, "")
    particles = to_particles(amount, mass=MASS, particles_per_ug=PER_UG)
    back = from_particles(particles, kind.unit, mass=MASS, particles_per_ug=PER_UG)
    assert back == pytest.approx(number, rel=4 * 2**-52)


def test_back_into_another_unit_of_the_kind():
    assert from_particles(2e11, "mg", mass=None, particles_per_ug=PER_UG) == pytest.approx(0.1, rel=1e-15)


def test_per_mass_without_the_mass():
    place = Place("s.yaml", 7, "doses[0].amount")
    with pytest.raises(InputError) as caught:
        to_particles(Quantity.parse("4 ug/kg"), mass=None, particles_per_ug=PER_UG, place=place)
    assert str(caught.value) == (
        "s.yaml:7: doses[0].amount: '4 ug/kg' is per body mass, and the mass of the subject is not known\n"
        "  try: add a mass to the subject, e.g. 'mass: 250 g'"
    )


@pytest.mark.parametrize("text", ["cells", "day", "dimensionless", "ug/mL"])
def test_no_amount_of_vesicles(text):
    with pytest.raises(InputError) as caught:
        to_particles(Quantity(1.0, Unit.parse(text), text), mass=MASS, particles_per_ug=PER_UG)
    assert str(caught.value) == (
        f"'{text}' is no unit of an amount of vesicles\n  try: one of ug, particles, ug/kg, particles/kg"
    )


@pytest.mark.parametrize("text", ["5 particles/ug", "1e-9 ug/ug", "5 particles/mg"])
def test_per_mass_of_protein_is_no_amount_per_body(text: str) -> None:
    unit = Quantity.parse(text).unit
    with pytest.raises(InputError) as caught:
        amount_kind(unit)
    told = f"'{unit.text}' is no unit of an amount of vesicles\n  try: one of ug, particles, ug/kg, particles/kg"
    assert str(caught.value) == told
