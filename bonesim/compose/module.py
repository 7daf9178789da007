"""A module: its equations, and the card that says how to join them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bonesim.compose.card import Card, Port, load_card
from bonesim.errors import InputError, Place, closest
from bonesim.model.ode import OdeModel
from bonesim.sbml.library import read_library_model
from bonesim.units import Quantity


@dataclass(frozen=True)
class Module:
    """One model under its name in a joined model; a generated part has no card, but ports that it `offers`.

    `own` are (cell, process, flat symbol) that act through the process ports of this module alone. `files` are names
    and texts of the files of a user's own module. One that is `removable` can be taken out of the joined model by
    parameters alone, see `compose.switches`.
    """

    name: str
    model: OdeModel
    card: Card | None = None
    offers: tuple[Port, ...] = ()
    own: tuple[tuple[str, str, str], ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    removable: bool = False

    @property
    def ports(self) -> tuple[Port, ...]:
        """All ports of the module."""
        return (*(self.card.ports if self.card else ()), *self.offers)

    def leads(self, cell: str, node: str, process: str) -> bool:
        """Whether the module takes up a node of the cell's signals and drives the process of that cell."""
        drives = any(f"{cell}.{process}" in port.drives for port in self.ports)
        return drives and any(port.takes(cell, node) for port in self.ports)

    def with_values(self, values: Mapping[str, Quantity]) -> Module:
        """The module with other values of its parameters, converted to the units of its file."""
        known = [parameter.id for parameter in self.model.parameters]
        unknown = [
            InputError(f"{self.model.id} has no parameter '{name}'", place=Place(key=name), remedy=closest(name, known))
            for name in values
            if name not in known
        ]
        if unknown:
            raise InputError.together(unknown)
        changed = tuple(
            replace(parameter, value=values[parameter.id].to(parameter.unit), initial=None)
            if parameter.id in values
            else parameter
            for parameter in self.model.parameters
        )
        return replace(self, model=self.model.with_(parameters=changed))


def flat(module: str, symbol: str) -> str:
    """The id of a module's symbol in the joined model; a nameless part keeps its own ids."""
    return f"{module}__{symbol}" if module else symbol


def load_module(module_id: str, name: str) -> Module:
    """A module of the library by its id, under the name `name`; its symbols carry the labels of the card."""
    model, card = read_library_model(module_id), load_card(module_id)
    return Module(name, labelled(model, {key: note.label for key, note in card.symbols.items()}), card)


def labelled(model: OdeModel, labels: Mapping[str, str]) -> OdeModel:
    """The model with other labels of its symbols."""
    return model.with_(
        states=tuple(replace(state, label=labels.get(state.id, state.label)) for state in model.states),
        parameters=tuple(replace(p, label=labels.get(p.id, p.label)) for p in model.parameters),
        rules=tuple(replace(rule, label=labels.get(rule.id, rule.label)) for rule in model.rules),
    )
