"""A unit: what was written, what it measures, and how it converts."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache

from bonesim.errors import InputError, quoted
from bonesim.units.symbols import BASES, SYMBOLS, SbmlFactor, symbol_dimension, symbol_scale
from bonesim.units.text import Factors
from bonesim.units.text import factors as parse_factors

Dimension = tuple[tuple[str, Fraction], ...]
"""(base, exponent) in the order of `BASES`, without zeros."""

Kind = tuple[tuple[str, Fraction, Fraction], ...]
"""(base, exponent above the fraction bar, exponent below it) in the order of `BASES`."""


@dataclass(frozen=True)
class Unit:
    """A unit as written.

    Parameters
    ----------
    text
        What the user wrote.
    factors
        (symbol, exponent) in order, not cancelled: `ug/kg` is `(("ug", 1), ("kg", -1))`.
    """

    text: str
    factors: Factors

    @staticmethod
    @lru_cache(maxsize=4096)
    def parse(text: str) -> Unit:
        """The unit that `text` says.

        Raises
        ------
        InputError
            If a symbol is unknown, the text is no product of powers, or its size is beyond floating point.
        """
        unit = Unit(text.strip(), parse_factors(text))
        if not 0.0 < unit.scale < math.inf:
            raise InputError(f"unit {quoted(text)} is beyond the range of numbers", remedy="use smaller powers")
        return unit

    def __str__(self) -> str:
        return self.text

    @cached_property
    def dimension(self) -> Dimension:
        """Exponents of the base dimensions, cancelled."""
        return tuple((base, up - down) for base, up, down in self.kind if up != down)

    @cached_property
    def kind(self) -> Kind:
        """Exponents of the base dimensions above and below the fraction bar, symbol by symbol, not cancelled."""
        up, down = dict.fromkeys(BASES, Fraction(0)), dict.fromkeys(BASES, Fraction(0))
        for symbol, exponent in self.factors:
            for base, power in symbol_dimension(symbol):
                signed = power * exponent
                (up if signed > 0 else down)[base] += abs(signed)
        return tuple((base, up[base], down[base]) for base in BASES if up[base] or down[base])

    @cached_property
    def scale(self) -> float:
        """How many SI units one of this is."""
        return as_float(product(self.factors))

    def same_dimension(self, other: Unit) -> bool:
        """Whether this converts into `other`."""
        return self.dimension == other.dimension

    def ratio_to(self, other: Unit) -> Fraction | float:
        """How many of `other` one of this is; an exact fraction unless a power is broken.

        Raises
        ------
        InputError
            If the dimensions differ.
        """
        if not self.same_dimension(other):
            raise InputError(
                f"{quoted(self.text)} does not convert to {quoted(other.text)}: "
                f"{describe(self.kind)} is not {describe(other.kind)}"
            )
        return product((*self.factors, *((symbol, -exponent) for symbol, exponent in other.factors)))

    def conversion_to(self, other: Unit | str) -> float:
        """The factor that turns a number in this unit into one in `other`, rounded once; errors of `ratio_to`."""
        return as_float(self.ratio_to(as_unit(other)))

    def sbml_factors(self) -> list[SbmlFactor]:
        """The `<unit>` elements of an SBML unit definition; their product is this unit."""
        rows = [
            row._replace(exponent=row.exponent * float(exponent))
            for symbol, exponent in self.factors
            for row in SYMBOLS[symbol]
        ]
        return rows or [SbmlFactor("dimensionless")]


def describe(kind: Kind) -> str:
    """A kind in words: `a mass per mass`, `a time`, `a plain number`."""
    above = [_powered(base, up) for base, up, _ in kind if up]
    below = [_powered(base, down) for base, _, down in kind if down]
    if not above and not below:
        return "a plain number"
    words = " times ".join(above) or "number"
    article = "an" if words[0] in "aeiou" else "a"
    return " ".join([article, words, *(f"per {word}" for word in below)])


_WORDS = {
    "s": "time",
    "kg": "mass",
    "m": "length",
    "mol": "amount of substance",
    "particle": "count of particles",
    "cell": "count of cells",
    "K": "temperature",
    "A": "electric current",
    "cd": "luminous intensity",
}
_POWERS = {("m", 2): "area", ("m", 3): "volume"}


def _powered(base: str, exponent: Fraction) -> str:
    word = _WORDS[base]
    return _POWERS.get((base, int(exponent))) or (word if exponent == 1 else f"{word}^{float(exponent):g}")


def as_unit(unit: Unit | str) -> Unit:
    """The unit, parsed if it is still text."""
    return Unit.parse(unit) if isinstance(unit, str) else unit


@lru_cache(maxsize=4096)
def product(factors: Factors) -> Fraction | float:
    """Size of a product of powers in SI; exact where the summed exponent of every symbol is a whole number."""
    exponents: dict[str, Fraction] = {}
    for symbol, exponent in factors:
        exponents[symbol] = exponents.get(symbol, Fraction(0)) + exponent
    exact, broken = Fraction(1), 0.0
    for symbol, exponent in exponents.items():
        size = symbol_scale(symbol)
        if exponent.denominator == 1:
            exact *= size ** int(exponent)
        else:
            broken += float(exponent) * math.log(size)
    return exact if not broken else as_float(exact) * _exp(broken)


def _exp(number: float) -> float:
    return math.exp(number) if number < math.log(sys.float_info.max) else math.inf


def as_float(number: Fraction | float) -> float:
    """The nearest float; infinite where there is none."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf
