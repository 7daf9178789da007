"""The table of unit symbols, each defined by base units of SBML."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import NamedTuple

DAY = 86400

BASES = ("s", "kg", "m", "mol", "particle", "cell", "K", "A", "cd")
"""Base dimensions, by their SI unit or by what is counted."""


class SbmlFactor(NamedTuple):
    """One `<unit>` of SBML: (multiplier 10^scale kind)^exponent."""

    kind: str
    exponent: float = 1.0
    scale: int = 0
    multiplier: float = 1.0


SBML_BASES: dict[str, tuple[str | None, int, Fraction]] = {
    "second": ("s", 1, Fraction(1)),
    "kilogram": ("kg", 1, Fraction(1)),
    "gram": ("kg", 1, Fraction(1, 1000)),
    "metre": ("m", 1, Fraction(1)),
    "litre": ("m", 3, Fraction(1, 1000)),
    "mole": ("mol", 1, Fraction(1)),
    "item": ("particle", 1, Fraction(1)),
    "kelvin": ("K", 1, Fraction(1)),
    "ampere": ("A", 1, Fraction(1)),
    "candela": ("cd", 1, Fraction(1)),
    "dimensionless": (None, 0, Fraction(1)),
}
"""SBML base unit -> our base dimension, its exponent, and the size in SI."""

ALIASES = {
    "second": "s",
    "minute": "min",
    "hour": "h",
    "particles": "particle",
    "item": "particle",
    "items": "particle",
    "cells": "cell",
    "percent": "%",
}
"""Other spelling -> symbol. What is counted has a plural; a time has none, `3 week` is as it stands."""

_SECONDS = {"s": 1, "min": 60, "h": 3600, "day": DAY, "week": 7 * DAY, "month": 30.4375 * DAY, "year": 365.25 * DAY}
_TENS = {"": 0, "d": -1, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12}


def _prefixed(symbol: str, kind: str, prefixes: str, *per: SbmlFactor) -> dict[str, tuple[SbmlFactor, ...]]:
    """`symbol` with and without each of the one-letter `prefixes`, divided by `per`."""
    return {prefix + symbol: (SbmlFactor(kind, scale=_TENS[prefix]), *per) for prefix in ("", *prefixes)}


SYMBOLS: dict[str, tuple[SbmlFactor, ...]] = {
    **{symbol: (SbmlFactor("second", multiplier=float(size)),) for symbol, size in _SECONDS.items()},
    "kg": (SbmlFactor("kilogram"),),
    **_prefixed("g", "gram", "munp"),
    **_prefixed("L", "litre", "dmu"),
    **_prefixed("m", "metre", "cmun"),
    **_prefixed("mol", "mole", "munp"),
    **_prefixed("M", "mole", "munp", SbmlFactor("litre", exponent=-1.0)),
    "particle": (SbmlFactor("item"),),
    "cell": (SbmlFactor("item"),),
    "K": (SbmlFactor("kelvin"),),
    "A": (SbmlFactor("ampere"),),
    "cd": (SbmlFactor("candela"),),
    "%": (SbmlFactor("dimensionless", scale=-2),),
    "dimensionless": (),
}
"""Symbol -> the SBML units that it stands for."""


def known_symbols() -> tuple[str, ...]:
    """All unit symbols that may be written, aliases included."""
    return (*SYMBOLS, *ALIASES)


@cache
def symbol_scale(symbol: str) -> Fraction:
    """Size of a symbol in SI units, exact."""
    size = Fraction(1)
    for kind, exponent, scale, multiplier in SYMBOLS[symbol]:
        one = Fraction(multiplier) * Fraction(10) ** scale * SBML_BASES[kind][2]
        size *= one ** int(exponent)
    return size


@cache
def symbol_dimension(symbol: str) -> tuple[tuple[str, int], ...]:
    """(base, exponent) of one symbol."""
    if symbol == "cell":
        return (("cell", 1),)
    rows = ((SBML_BASES[factor.kind], int(factor.exponent)) for factor in SYMBOLS[symbol])
    return tuple((base, power * exponent) for (base, power, _), exponent in rows if base)
