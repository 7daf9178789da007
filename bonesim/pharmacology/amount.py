"""How much a dose is: mass of vesicle protein, number of vesicles, or either per body mass.

Preparations are dosed in one of two ways that only a lot ties together: by the protein they contain (`100 ug`) or by
counted vesicles (`1e10 particles`). With :math:`r` vesicles per microgram of protein and the body mass :math:`m`,

.. math:: N = r \\, a_{ug} \\;=\\; N \\;=\\; r \\, m_{kg} \\, a_{ug/kg} \\;=\\; m_{kg} \\, a_{1/kg}

The four kinds are told apart before cancelling (`Unit.kind`), since `ug/kg` is no plain number.
"""

from __future__ import annotations

from typing import NamedTuple

from bonesim.errors import InputError, Place, quoted
from bonesim.units import Quantity, Unit


class AmountKind(NamedTuple):
    """One way to state an amount: the unit we compute with, and what turns it into vesicles."""

    unit: Unit
    by_protein: bool
    per_mass: bool


KINDS: tuple[AmountKind, ...] = (
    AmountKind(Unit.parse("ug"), by_protein=True, per_mass=False),
    AmountKind(Unit.parse("particles"), by_protein=False, per_mass=False),
    AmountKind(Unit.parse("ug/kg"), by_protein=True, per_mass=True),
    AmountKind(Unit.parse("particles/kg"), by_protein=False, per_mass=True),
)


def amount_kind(unit: Unit, place: Place | None = None) -> AmountKind:
    """Which of the four ways `unit` is.

    Raises
    ------
    InputError
        If it is none of them.
    """
    below = {symbol for symbol, exponent in unit.factors if exponent < 0}
    for kind in KINDS:
        # Per ug is per protein of a lot, never per body: only the units in which bodies are weighed may stand there.
        if kind.unit.kind == unit.kind and below <= {"kg", "g"}:
            return kind
    raise InputError(
        f"{quoted(unit.text)} is no unit of an amount of vesicles",
        place=place,
        remedy=f"one of {', '.join(kind.unit.text for kind in KINDS)}",
    )


def to_particles(
    amount: Quantity, *, mass: Quantity | None, particles_per_ug: float, place: Place | None = None
) -> float:
    """How many vesicles `amount` is.

    Parameters
    ----------
    amount
        Of one administration, in a unit of one of the `KINDS`.
    mass
        Of the body; needed by amounts per body mass only.
    particles_per_ug
        Vesicles per microgram of protein of the lot, positive.
    place
        Where the amount stands, for the message.

    Raises
    ------
    InputError
        If the unit is none of an amount, or it is per body mass and the mass is not known.
    """
    kind = amount_kind(amount.unit, place)
    return amount.to(kind.unit) * _particles_per_unit(kind, amount.text, mass, particles_per_ug, place)


def from_particles(
    particles: float, unit: Unit | str, *, mass: Quantity | None, particles_per_ug: float, place: Place | None = None
) -> float:
    """How many of `unit` that many vesicles are; the inverse of `to_particles`, with the same errors."""
    target = Unit.parse(unit) if isinstance(unit, str) else unit
    kind = amount_kind(target, place)
    each = _particles_per_unit(kind, target.text, mass, particles_per_ug, place)
    return particles / each * kind.unit.conversion_to(target)


def _particles_per_unit(
    kind: AmountKind, text: str, mass: Quantity | None, particles_per_ug: float, place: Place | None
) -> float:
    per_unit = particles_per_ug if kind.by_protein else 1.0
    if not kind.per_mass:
        return per_unit
    if mass is None:
        raise InputError(
            f"{quoted(text)} is per body mass, and the mass of the subject is not known",
            place=place,
            remedy="add a mass to the subject, e.g. 'mass: 250 g'",
        )
    return per_unit * mass.to("kg")
