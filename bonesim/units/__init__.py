"""Units and quantities as written: `100 ug`, `1e10 particles/kg`, `1/(pM*day)`.

A unit is a product of the symbols in `SYMBOLS`, each of which is defined by SBML base units, so that text, conversion
and SBML can not disagree. Three things are kept apart:

- `Unit.text`: what the user wrote;
- `Unit.dimension`: exponents of the base dimensions after cancelling, which decides what converts into what;
- `Unit.kind`: the same before cancelling, so that a dose per body mass (`ug/kg`) is no plain number.

`*` and `/` are read from left to right, as in Antimony: `a/b*c` is `(a/b)*c`.

Particles and cells are counted in dimensions of their own, since a dose of `1e6 cells` is no dose of vesicles. SBML
has only `item` for both; in text `item` means particles, which is what our SBML modules count with it.
A month is 30.4375 days and a year 365.25 days. All conversion factors are exact fractions, rounded once at the end.
"""

from bonesim.units.quantity import Quantity
from bonesim.units.symbols import SYMBOLS, SbmlFactor, known_symbols
from bonesim.units.unit import Dimension, Kind, Unit, describe

__all__ = ["SYMBOLS", "Dimension", "Kind", "Quantity", "SbmlFactor", "Unit", "describe", "known_symbols"]
