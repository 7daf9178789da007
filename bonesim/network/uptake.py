"""What reaches cells: vesicles taken up by site and carrier, and what a source's vesicles are said to do on the way."""

from __future__ import annotations

from dataclasses import dataclass

from bonesim.catalog.schema import Source

ON_THE_WAY = ("ev_targeting", "ev_retention")
"""Processes of the vesicle itself that kinetics take."""

INTO_CELLS = "ev_uptake"
"""The process that changes how much of what is offered one kind of cell takes."""

VESICLE_PROCESSES = (*ON_THE_WAY, INTO_CELLS)
"""Processes that are properties of vesicles, not of cells: an edge that ends there is a factor and has no equation."""

COUNTS = {"bone": "marrow_target_cells", "joint": "joint_target_cells", "disc": "disc_target_cells"}
"""Flat id of the number of cells that share what a site takes up."""


@dataclass(frozen=True)
class Uptake:
    """A flat symbol that gives vesicles taken up by all cells of a site, 1/day, of those in one carrier or none."""

    symbol: str
    site: str = "bone"
    carrier: str | None = None


@dataclass(frozen=True)
class Exposure:
    """What reaches cells from one source, and which of `ON_THE_WAY` its kinetics take.

    With `free` the cargo comes without vesicles, and only the share `free_cargo_entry` of it enters cells whole.
    """

    source: Source
    uptake: tuple[Uptake, ...]
    takes: frozenset[str] = frozenset(ON_THE_WAY)
    free: bool = False

    @property
    def sites(self) -> frozenset[str]:
        """Sites whose cells take up any."""
        return frozenset(one.site for one in self.uptake)

    @property
    def carriers(self) -> frozenset[str | None]:
        """Carriers in which they are given; None stands for no carrier."""
        return frozenset(one.carrier for one in self.uptake)

    def at(self, site: str, carrier: str | None) -> tuple[str, ...]:
        """The symbols of a site: of all vesicles, or of those in one carrier."""
        return tuple(one.symbol for one in self.uptake if one.site == site and carrier in (None, one.carrier))


@dataclass(frozen=True)
class Property:
    """A factor on the kinetics of a source, as a flat symbol, 1 where nothing of it is given."""

    source: str
    cell: str
    process: str
    carrier: str | None
    symbol: str

    def enters(self, source: str, cell: str, carrier: str | None) -> bool:
        """Whether it changes what a cell takes of a source, given in this carrier or in any."""
        return (self.source, self.cell, self.process) == (source, cell, INTO_CELLS) and self.carrier in (None, carrier)


@dataclass(frozen=True)
class Copies:
    """Copies of a cargo in one cell of a kind, as a flat symbol."""

    cell: str
    cargo: str
    symbol: str
