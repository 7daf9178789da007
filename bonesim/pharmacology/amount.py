"""How much a dose is: mass of vesicle protein, number of vesicles or of the cells that made them, also per body mass.

Preparations are dosed in ways that only a lot ties together: by the protein they contain (`100 ug`), by counted
vesicles (`1e10 particles`), or by the cells whose vesicles they are (`1e6 cells`). With :math:`r` vesicles per
microgram of protein, :math:`c` per parent cell and the body mass :math:`m`,

.. math:: N = r \\, a_{ug} \\;=\\; r \\, m_{kg} \\, a_{ug/kg} \\;=\\; m_{kg} \\, a_{1/kg} \\;=\\; c \\, a_{cells}

What the body itself secretes is an amount a day (`5 ug/day`). The kinds are told apart before cancelling (`Unit.kind`),
since `ug/kg` is no plain number.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from bonesim.errors import InputError, Place, quoted
from bonesim.units import Quantity, Unit

Counted = Literal["protein", "vesicles", "cells"]


class AmountKind(NamedTuple):
    """One way to state an amount: the unit we compute with, and what turns it into vesicles."""

    unit: Unit
    counted: Counted
    per_mass: bool = False
    per_day: bool = False


KINDS: tuple[AmountKind, ...] = (
    AmountKind(Unit.parse("ug"), "protein"),
    AmountKind(Unit.parse("particles"), "vesicles"),
    AmountKind(Unit.parse("cells"), "cells"),
    AmountKind(Unit.parse("ug/kg"), "protein", per_mass=True),
    AmountKind(Unit.parse("particles/kg"), "vesicles", per_mass=True),
    AmountKind(Unit.parse("cells/kg"), "cells", per_mass=True),
    AmountKind(Unit.parse("ug/day"), "protein", per_day=True),
    AmountKind(Unit.parse("particles/day"), "vesicles", per_day=True),
)

BELOW = {"kg", "g", "s", "second", "min", "minute", "h", "hour", "day", "week", "month", "year"}
"""What may stand below the bar: per ug is per protein of a lot, never per body or per time."""


def amount_kind(unit: Unit, place: Place | None = None) -> AmountKind:
    """Which of the ways `unit` is.

    Raises
    ------
    InputError
        If it is none of them.
    """
    below = {symbol for symbol, exponent in unit.factors if exponent < 0}
    for kind in KINDS:
        if kind.unit.kind == unit.kind and below <= BELOW:
            return kind
    raise InputError(
        f"{quoted(unit.text)} is no unit of an amount of vesicles",
        place=place,
        remedy=f"one of {', '.join(kind.unit.text for kind in KINDS)}",
    )


def to_particles(
    amount: Quantity,
    *,
    mass: Quantity | None,
    particles_per_ug: float,
    particles_per_cell: float | None = None,
    place: Place | None = None,
) -> float:
    """How many vesicles `amount` is; of an amount a day, how many a day.

    Parameters
    ----------
    amount
        Of one administration, in a unit of one of the `KINDS`.
    mass
        Of the body; needed by amounts per body mass only.
    particles_per_ug
        Vesicles per microgram of protein of the lot, positive.
    particles_per_cell
        Vesicles per parent cell of the lot; needed by amounts in cells only.
    place
        Where the amount stands, for the message.

    Raises
    ------
    InputError
        If the unit is none of an amount, it is per body mass and the mass is not known, or it is in cells and the lot
        does not say how many vesicles a cell gave.
    """
    kind = amount_kind(amount.unit, place)
    per_unit = {"protein": particles_per_ug, "vesicles": 1.0, "cells": particles_per_cell}[kind.counted]
    if per_unit is None:
        problem = f"{quoted(amount.text)} is in parent cells, and the lot does not say how many vesicles a cell gave"
        raise InputError(problem, place=place, remedy="an amount in ug or particles, or particles_per_cell in the lot")
    return amount.to(kind.unit) * per_unit * _bodies(kind, amount.text, mass, place)


def _bodies(kind: AmountKind, text: str, mass: Quantity | None, place: Place | None) -> float:
    """The mass of the body in kg for an amount per mass, 1 for any other."""
    if not kind.per_mass:
        return 1.0
    if mass is None:
        raise InputError(
            f"{quoted(text)} is per body mass, and the mass of the subject is not known",
            place=place,
            remedy="add a mass to the subject, e.g. 'mass: 250 g'",
        )
    return mass.to("kg")
