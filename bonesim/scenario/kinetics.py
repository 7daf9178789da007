"""What catalogue and subject make of a module of kinetics: its numbers, and the form that route and carrier give it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from bonesim.catalog.schema import Carrier, Number, Route, Species
from bonesim.compose.module import Module
from bonesim.errors import InputError, Place
from bonesim.model.simplify import simplified
from bonesim.network.uptake import COUNTS
from bonesim.units import Quantity

BLOOD = "iv_two_phase"
"""The module under which a species says what its blood does with vesicles, by whatever route they come."""

TARGETS = {"bone": "marrow_targets", "joint": "joint_targets", "disc": "disc_targets"}
"""Tissue whose cells take vesicles up -> their number in a species."""


def has_own_tissue(route: Route) -> bool:
    """Whether the site of a route has cells of its own that take vesicles up, apart from those of bone."""
    return route.site in TARGETS and route.site != "bone"


def module_numbers(module: Module, route: Route, species: Species, given: Mapping[str, Number]) -> dict[str, Number]:
    """What species and route say of a module's parameters, and of `given` what the module has."""
    known = {parameter.id for parameter in module.model.parameters}
    values = {**species.of_module(BLOOD), **species.of_module(module.model.id), **given}
    return {name: number for name, number in values.items() if name in known} | dict(route.parameters)


def carrier_numbers(carrier: Carrier | None) -> dict[str, Number]:
    """The numbers of a carrier by the parameters of a module."""
    if carrier is None:
        return {}
    release = carrier.release
    named = {
        "burst": release and release.burst,
        "t_half_release": release and release.half_life,
        "release_time": release and release.duration,
        "retention": carrier.retention,
        "targeting": carrier.targeting,
    }
    return {name: number for name, number in named.items() if number}


@dataclass(frozen=True)
class Shares:
    """Numbers of a module that are in proportion to others, which lie behind them and are no parameters of it.

    numbers : by the module's own ids
    follows : what each is in proportion to, by flat id, with the power in which that enters
    behind : those others by flat id
    """

    numbers: Mapping[str, Number]
    follows: Mapping[str, Mapping[str, int]]
    behind: Mapping[str, Number]


def site_shares(route: Route, species: Species, mass: Quantity, place: Place) -> Shares:
    """How many cells a site has for one of the marrow, where it has cells of its own; errors of `cell_count`."""
    if not has_own_tissue(route):
        return Shares({}, {}, {})
    marrow, cells = (cell_count(site, species, mass, place) for site in ("bone", route.site))
    share = cells.model_copy(
        update={
            "value": cells.value / marrow.value,
            "low": cells.low / marrow.high,
            "high": cells.high / marrow.low,
            "unit": "dimensionless",
        }
    )
    site, bone = COUNTS[route.site], COUNTS["bone"]
    return Shares({"site_cells": share}, {"site_cells": {site: 1, bone: -1}}, {site: cells, bone: marrow})


def cell_count(site: str, species: Species, mass: Quantity, place: Place) -> Number:
    """Cells that share the vesicles of a site, scaled from the species' usual mass to the subject's.

    Raises
    ------
    InputError
        If the species has no such count.
    """
    count = species.cells.get(TARGETS[site])
    if count is None:
        problem = f"the species {species.id} does not say how many cells of a {site} take vesicles up"
        raise InputError(problem, place=place, remedy=f"{TARGETS[site]} in its entry")
    if count.scales_with != "mass":
        return count
    return scaled(count, mass.to("g") / species.defaults.mass.quantity.to("g"))


def secreted(secretion: Number, mass: Quantity, per_ug: Number) -> Number:
    """Vesicles that a body of some mass itself secretes a day, from what it secretes for its mass."""
    ug_a_day = secretion.quantity.to("1/day") / secretion.value * mass.to("ug")
    particles = per_ug.quantity.to("particle/ug") / per_ug.value
    bounds = {name: getattr(secretion, name) * getattr(per_ug, name) for name in ("value", "low", "high")}
    whole = secretion.model_copy(update={**bounds, "unit": "particle/day", "prior": None})
    return scaled(whole, ug_a_day * particles)


def scaled(number: Number, factor: float, **changes: object) -> Number:
    """A number with value and range times a factor."""
    values = {name: getattr(number, name) * factor for name in ("value", "low", "high")}
    return number.model_copy(update=values | changes)


def in_form(module: Module, route: Route, carrier: Carrier | None) -> Module:
    """The module without the states, switches and numbers that this route and carrier have no use for."""
    model = simplified(module.model, dict(_fixed(route, carrier)), tuple(_scheduled(module, carrier)))
    return replace(module, model=model)


def _fixed(route: Route, carrier: Carrier | None) -> Iterator[tuple[str, float]]:
    """What is a plain number: switches, and what stays empty."""
    release = carrier.release if carrier else None
    yield "at_bone", float(route.site == "bone")
    if release is None:
        yield from (("carrier", 0.0), ("release", 0.0))
    elif release.form == "even":
        yield from (("first_order", 0.0), ("t_half_release", 1.0))
    else:
        yield "first_order", 1.0
    if not has_own_tissue(route):
        yield from (("site", 0.0), ("site_uptake", 0.0))
    if route.site == "none":
        yield "share_site", 0.0


def _scheduled(module: Module, carrier: Carrier | None) -> Iterator[str]:
    """Parameters that only the schedule uses."""
    yield from (port.sets for port in module.ports if port.sets)
    if carrier and carrier.release:
        yield from ("burst", "release_time") if carrier.release.form == "even" else ("burst",)
