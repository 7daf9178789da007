"""Species: whether a symbol is an amount or a concentration, and which of both the state is.

While the size of a compartment changes, what stays is the amount. So there the amount is the state, and the symbol of
a concentration is a rule:

    S = amount / size        d(amount)/dt = f sum_r n_r v_r

A rate rule gives the rate of the concentration, and an event sets it with the size as it is just before, also where the
value is that of the trigger's time:

    d(amount)/dt = size dS/dt + S d(size)/dt        amount = value x size

so that of an event that sets both S and the size, S does not keep the value it was given. Where the size is a rule and
a rate rule gives the rate of a concentration, the concentration stays the state. SBML Level 3 Version 2 Core, sections
4.6, 4.8, 4.11 and 4.12.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from bonesim.errors import InputError
from bonesim.model.expr import Call, Expr, Sym, free_name, symbols
from bonesim.model.ode import OdeModel, Rule, State, StateEvent
from bonesim.sbml.document import Document, Element, each
from bonesim.sbml.formulas import Formulas
from bonesim.sbml.supported import refuse

Assignments = tuple[tuple[str, Expr], ...]


def has_size(compartment: Element, document: Document, formulas: Formulas) -> bool:
    """Whether something says how large a compartment is; in Levels 1 and 2 a point is not."""
    name = compartment.getId()
    ruled = any(name in table for table in (formulas.initial, formulas.assignments, formulas.constraints))
    given = ruled or document.level == 1 or bool(compartment.isSetSize())
    return given and (document.level > 2 or compartment.getSpatialDimensions() != 0)


def is_amount(species: Element, compartment: Element, sized: bool) -> bool:
    """Whether the symbol of a species is its amount, as it is in a point (0 dimensions) that is not `sized`."""
    point = compartment.getSpatialDimensionsAsDouble() == 0
    return bool(species.getHasOnlySubstanceUnits()) or (point and not sized)


def by_amount(document: Document, formulas: Formulas) -> tuple[Formulas, dict[str, str]]:
    """The formulas, and the symbols of the amounts that are states (or parameters) where a concentration is a rule."""
    model = document.model
    compartments = {compartment.getId(): compartment for compartment in each(model.getListOfCompartments())}
    everything = model.getListOfAllElements()
    taken = {everything.get(k).getId() for k in range(everything.getSize())} | {one.id for one in formulas.local}
    targets = {target for event in formulas.events for target, _ in event.assignments}
    varying = {*formulas.assignments, *formulas.constraints, *formulas.rates, *targets} & {
        name for name, compartment in compartments.items() if has_size(compartment, document, formulas)
    }
    assignments, rates, initial = dict(formulas.assignments), dict(formulas.rates), dict(formulas.initial)
    amounts: dict[str, str] = {}
    for species in each(model.getListOfSpecies()):
        name, size = species.getId(), species.getCompartment()
        ruled = name in formulas.assignments or name in formulas.constraints
        if size not in varying or species.getHasOnlySubstanceUnits() or ruled:
            continue
        if name in rates and (size in formulas.assignments or size in formulas.constraints):
            continue
        amount = amounts[name] = free_name(f"{name}_amount", taken)
        assignments[name] = Call("div", (Sym(amount), Sym(size)))
        if name in initial:
            initial[amount] = Call("mul", (initial.pop(name), Sym(size)))
        if name in rates:
            rates[amount] = _amount_rate(name, rates.pop(name), size, rates.get(size))
    return replace(formulas, assignments=assignments, rates=rates, initial=initial), amounts


def _amount_rate(concentration: str, rate: Expr, size: str, growth: Expr | None) -> Expr:
    own = Call("mul", (rate, Sym(size)))
    return own if growth is None else Call("add", (own, Call("mul", (Sym(concentration), growth))))


def with_amounts_set(model: OdeModel) -> OdeModel:
    """The model whose events set amounts where they set concentrations that are rules.

    Raises
    ------
    UnsupportedModelError
        If an event changes a size that is a rule, where the concentration of a species is a state.
    """
    if problems := [*_jumps_beside_states(model)]:
        raise InputError.together(problems)
    held = {one.id: (one.amount, one.size) for one in model.species if one.amount and one.size}

    def translated(assignments: Assignments) -> Assignments:
        return tuple(
            (held[target][0], Call("mul", (expr, Sym(held[target][1])))) if target in held else (target, expr)
            for target, expr in assignments
        )

    def waiting(event: StateEvent) -> StateEvent:
        if not event.from_trigger_time:
            return replace(event, assignments=translated(event.assignments))
        named = [held.get(target, (target, "")) for target, _ in event.assignments]
        values = tuple((amount, expr) for (amount, _), (_, expr) in zip(named, event.assignments, strict=True))
        return replace(event, assignments=values, factors=tuple((amount, Sym(size)) for amount, size in named if size))

    return model.with_(
        events=tuple(replace(event, assignments=translated(event.assignments)) for event in model.events),
        state_events=tuple(map(waiting, model.state_events)),
    )


def _jumps_beside_states(model: OdeModel) -> Iterator[InputError]:
    """Sizes that jump although a state is a concentration there, which would have to jump, too."""
    links = {rule.id: symbols(rule.expr) for rule in model.rules}
    targets = {event.id: {name for name, _ in event.assignments} for event in model.events}
    targets |= {event.id: {name for name, _ in event.assignments} for event in model.state_events}
    for one in model.species:
        symbol, size = model.by_id[one.id], model.by_id.get(one.size or "")
        if not one.is_amount and isinstance(symbol, State) and isinstance(size, Rule):
            beneath = _beneath(size.id, links)
            place = symbol.origin.place
            for event_id in (event_id for event_id, names in targets.items() if names & beneath):
                yield refuse("varying_compartment", f"species '{one.id}' and event '{event_id}'", place)


def _beneath(name: str, links: Mapping[str, frozenset[str]]) -> set[str]:
    """A symbol with all that it rests on."""
    found, waiting = set[str](), [name]
    while waiting:
        if (one := waiting.pop()) not in found:
            found.add(one)
            waiting += links.get(one, ())
    return found
