"""Cargo on the surface of vesicles that acts outside cells: by its number of molecules, where a module takes it.

Vesicles in the interstitium of the marrow bring so many molecules into its fluid,

.. math:: c = \\frac{\\sum_g N_g \\, n}{N_A V}

with the vesicles :math:`N_g` of each group of doses, :math:`n` molecules on each, and the fluid's volume :math:`V`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bonesim.catalog.schema import Cargo, Number, Species
from bonesim.compose.card import Port
from bonesim.compose.module import Module
from bonesim.errors import InputError, Place
from bonesim.model.expr import Call, Expr, Num, Sym, total
from bonesim.model.ode import OdeModel, Parameter, Rule
from bonesim.scenario.exposure import Group
from bonesim.scenario.kinetics import scaled
from bonesim.units import Quantity

MOLECULES = 6.02214076e8
"""In 1 mL at 1 pM: Avogadro's number, which is exact, times 1e-15 mol."""

FLUID = "marrow_fluid"


@dataclass(frozen=True)
class Ligands:
    """The part of the model that offers such cargo, and its numbers by flat id.

    outside : (source, cargo) of what acts so, with the flat id of its molecules per vesicle
    """

    module: Module
    numbers: Mapping[str, Number]
    outside: Mapping[tuple[str, str], str]


def ligands(
    groups: Sequence[Group], biology: Sequence[Module], species: Species, mass: Quantity, place: Place
) -> Ligands:
    """What the vesicles of all groups bring by the ports that modules have for it.

    Raises
    ------
    InputError
        If there is any, and the species does not say how much fluid it is in.
    """
    taken = {port.name for module in biology for port in module.ports if port.replaces}
    found = [(group, cargo) for group in groups for cargo in _on_surface(group) if cargo.port in taken]
    if not found:
        return Ligands(Module("", OdeModel("ligands", ())), {}, {})
    numbers = {FLUID: _fluid(species, mass, place)}
    outside = {}
    brought: dict[str, list[Expr]] = {}
    for group, cargo in found:
        name = f"{cargo.name}_per_vesicle_of_{group.source.id}"
        assert cargo.copies_per_vesicle is not None
        numbers[name] = cargo.copies_per_vesicle
        outside[group.source.id, cargo.name] = name
        brought.setdefault(cargo.port or "", []).append(Call("mul", (Sym(group.interstitium), Sym(name))))
    units = {name: "mL" if name == FLUID else "item/particle" for name in numbers}
    model = OdeModel(
        "ligands",
        states=(),
        parameters=tuple(
            Parameter(name, number.quantity.to(units[name]), units[name], label=name.replace("_", " "))
            for name, number in numbers.items()
        ),
        rules=tuple(_concentration(port, parts) for port, parts in brought.items()),
    )
    offers = tuple(Port(name=port, direction="out", symbol=port) for port in brought)
    return Ligands(Module("", model, offers=offers), numbers, outside)


def _on_surface(group: Group) -> Iterator[Cargo]:
    return (cargo for cargo in group.source.cargo if cargo.port)


def _concentration(port: str, brought: Sequence[Expr]) -> Rule:
    fluid = Call("mul", (Num(MOLECULES), Sym(FLUID)))
    return Rule(
        port, Call("div", (total(list(brought)), fluid)), "pM", f"{port.replace('_', ' ')} in the marrow's fluid"
    )


def _fluid(species: Species, mass: Quantity, place: Place) -> Number:
    """The fluid of the marrow's interstitium, scaled from the species' usual mass to the subject's."""
    volume = species.volumes.get(FLUID)
    if volume is None:
        problem = f"the species {species.id} does not say how much fluid there is between the cells of its marrow"
        raise InputError(problem, place=place, remedy=f"{FLUID} under `volumes` in its entry")
    if volume.scales_with != "mass":
        return volume
    return scaled(volume, mass.to("g") / species.defaults.mass.quantity.to("g"))
