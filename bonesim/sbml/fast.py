"""Fast reactions: in equilibrium at every time, by totals that only the others change and species that follow.

With amounts x, slow reactions v and fast ones w, a model with fast reactions is the limit of ever smaller epsilon in

    dx/dt = N v + M w / epsilon

(SBML Level 3 Version 1 Core, section 4.11.1). Let the rows M_p of M be a basis of its rows, M_o = R M_p. The totals

    T = x_o - R x_p,    dT/dt = (N_o - R N_p) v

move by slow reactions alone; the species p are *fast states*, which rest at every time where dx_p/ds = M_p w leads
them, and x_o = T + R x_p is a rule. An event that sets a species sets the totals with it. Reactions that share species
are one system; R is exact, by rational numbers. In a system of a single reaction stoichiometries may be symbols.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import TypeVar

from bonesim.model.check import well_posed
from bonesim.model.derive import ONE, ZERO, add, multiply, subtract
from bonesim.model.evaluate import evaluate
from bonesim.model.expr import TIME, Call, Expr, Num, Sym, free_name, substitute, symbols, total, walk
from bonesim.model.linear import linear, over
from bonesim.model.ode import OdeModel, Parameter, Rule, State, StateEvent, TimedEvent
from bonesim.sbml.mathml_read import Where
from bonesim.sbml.supported import refuse

Event = TypeVar("Event", TimedEvent, StateEvent)


@dataclass(frozen=True)
class System:
    """Fast reactions that share species.

    slopes : what a unit of each reaction's extent does to each species, by species and reaction, zeros left out
    scale : of each species, the symbol r_i in that slope
    leading : the species of the basis
    ratios : R, by other species and those of the basis
    """

    slopes: Mapping[str, Mapping[str, Expr]]
    scale: Mapping[str, Expr]
    leading: tuple[str, ...]
    ratios: Mapping[str, Mapping[str, Fraction]]

    def total(self, species: str) -> Expr:
        """T of a species outside of the basis, in terms of all species: x_o/r_o - sum_p R_op x_p/r_p."""
        expr = over(Sym(species), self.scale[species])
        for leader, ratio in self.ratios[species].items():
            expr = subtract(expr, _times(ratio, over(Sym(leader), self.scale[leader])))
        return expr

    def follows(self, species: str, total_name: str) -> Expr:
        """The species in terms of its total and those of the basis."""
        expr: Expr = Sym(total_name)
        for leader, ratio in self.ratios[species].items():
            expr = add(expr, _times(ratio, over(Sym(leader), self.scale[leader])))
        return multiply(self.scale[species], expr)

    @cached_property
    def used(self) -> frozenset[str]:
        """What the totals are made of."""
        return frozenset(self.scale).union(*map(symbols, self.scale.values()))


def with_equilibria(
    model: OdeModel, fast: Mapping[str, Where], species: Collection[str], values: Mapping[str, float]
) -> OdeModel:
    """The model with these reactions in equilibrium; `species` are what reactions change, `values` those at the start.

    Raises
    ------
    UnsupportedModelError
        If stoichiometries change in time or do not let totals be formed, or a fast reaction's rate is used as a value.
    """
    if not fast:
        return model
    _refuse_use(model, fast, species)
    slopes = {
        state.id: found for state in model.states if state.id in species and (found := _slopes(state.rate, fast, model))
    }
    systems = [_system(model, part, slopes, fast, values) for part in _connected(slopes)]
    names = {name for system in systems for name in system.ratios}
    taken = {symbol.id for symbol in model.symbols()}
    totals = {name: free_name(f"{name}_total", taken) for name in sorted(names)}
    by_species = {name: system for system in systems for name in system.scale}
    states, rules = [], list(model.rules)
    for state in model.states:
        system = by_species.get(state.id)
        if system is None:
            states.append(state)
        elif state.id in system.leading:
            parts = [multiply(slope, Sym(reaction)) for reaction, slope in system.slopes[state.id].items()]
            states.append(replace(state, rate=_slow(state.rate, fast), fast=total(parts)))
        else:
            states.append(_total_state(model, system, state, totals[state.id], fast))
            rules.append(
                Rule(state.id, system.follows(state.id, totals[state.id]), state.unit, state.label, state.origin)
            )
    return well_posed(
        model.with_(
            states=tuple(states),
            rules=tuple(rules),
            events=tuple(_adjusted(event, systems, totals) for event in model.events),
            state_events=tuple(_adjusted(event, systems, totals) for event in model.state_events),
        )
    )


def _refuse_use(model: OdeModel, fast: Mapping[str, Where], species: Collection[str]) -> None:
    """The rate of a fast reaction, the flow that keeps it in equilibrium, is no value of its rate law."""
    uses = [symbols(state.rate) for state in model.states if state.id not in species]
    uses += [symbols(rule.expr) for rule in model.rules]
    events: tuple[TimedEvent | StateEvent, ...] = (*model.events, *model.state_events)
    uses += [symbols(expr) for event in events for _, expr in event.assignments]
    uses += [symbols(event.trigger) for event in model.state_events]
    for name in sorted(fast.keys() & frozenset().union(*uses)):
        raise refuse("fast_rate", fast[name].what, fast[name].place)


def _slopes(rate: Expr, fast: Mapping[str, Where], model: OdeModel) -> dict[str, Expr]:
    """What stands before each fast reaction in the rate of a species, without rules."""
    found = {}
    for name, where in fast.items():
        parts = linear(rate, name)
        if parts is None:
            raise refuse("fast_stoichiometry", where.what, where.place)
        if parts[0] != ZERO:
            found[name] = parts[0]
            for rule in reversed(model.rules):
                found[name] = substitute(found[name], {rule.id: rule.expr})
    return found


def _slow(rate: Expr, fast: Iterable[str]) -> Expr:
    """The rate of a species without the fast reactions."""
    for name in fast:
        parts = linear(rate, name)
        rate = rate if parts is None else parts[1]
    return rate


def _connected(slopes: Mapping[str, Mapping[str, Expr]]) -> list[list[str]]:
    """Species that fast reactions join."""
    groups: list[tuple[list[str], set[str]]] = []
    for species, reactions in slopes.items():
        joined, apart = [species], []
        inside = set(reactions)
        for names, others in groups:
            if others & inside:
                joined, inside = names + joined, others | inside
            else:
                apart.append((names, others))
        groups = [*apart, (joined, inside)]
    return [names for names, _ in groups]


def _system(
    model: OdeModel,
    names: Sequence[str],
    slopes: Mapping[str, Mapping[str, Expr]],
    fast: Mapping[str, Where],
    values: Mapping[str, float],
) -> System:
    reactions = [name for name in fast if any(name in slopes[species] for species in names)]
    where = fast[reactions[0]]
    scale, numbers = {}, {}
    for species in names:
        parts = {name: _split(slope) for name, slope in slopes[species].items()}
        if len(reactions) == 1:
            scale[species], numbers[species] = slopes[species][reactions[0]], [Fraction(1)]
            continue
        kinds = {symbol for _, symbol in parts.values()}
        if len(kinds) > 1 or not all(math.isfinite(number) for number, _ in parts.values()):
            raise refuse("fast_stoichiometry", where.what, where.place)
        scale[species] = kinds.pop()
        numbers[species] = [Fraction(parts[name][0]) if name in parts else Fraction(0) for name in reactions]
    for expr in scale.values():
        number = evaluate(expr, values)
        if not _rests_on_parameters(expr, model) or not math.isfinite(number) or number == 0:
            raise refuse("fast_stoichiometry", where.what, where.place)
    inside = set(reactions)
    for rule in reversed(model.rules):
        if rule.id in inside:
            inside |= symbols(rule.expr)
    consumed = {name for name in names if any(evaluate(slope, values) < 0 for slope in slopes[name].values())}
    order = sorted(names, key=lambda name: (name not in inside, name not in consumed))
    leading, ratios = _basis(order, numbers)
    return System({name: slopes[name] for name in names}, scale, leading, ratios)


def _rests_on_parameters(expr: Expr, model: OdeModel) -> bool:
    """Whether an expression changes by events alone."""
    return TIME not in walk(expr) and all(isinstance(model.by_id[name], Parameter) for name in symbols(expr))


def _split(expr: Expr) -> tuple[float, Expr]:
    """A product as its number and the rest."""
    if isinstance(expr, Num):
        return expr.value, ONE
    if isinstance(expr, Call) and expr.op == "neg":
        number, rest = _split(expr.args[0])
        return -number, rest
    if isinstance(expr, Call) and expr.op in {"mul", "div"}:
        (first, above), (second, below) = map(_split, expr.args)
        if expr.op == "mul":
            return first * second, multiply(above, below)
        return first / second if second else math.nan, over(above, below)
    return 1.0, expr


def _basis(
    order: Sequence[str], rows: Mapping[str, Sequence[Fraction]]
) -> tuple[tuple[str, ...], dict[str, dict[str, Fraction]]]:
    """The first rows that are independent, and what of them makes up each other one."""
    reduced: list[tuple[int, list[Fraction], dict[str, Fraction]]] = []  # pivot, row, and of which rows it is made
    leading: list[str] = []
    ratios: dict[str, dict[str, Fraction]] = {}
    for name in order:
        rest = list(rows[name])
        made: dict[str, Fraction] = {}
        for pivot, row, parts in reduced:
            factor = rest[pivot] / row[pivot]
            rest = [a - factor * b for a, b in zip(rest, row, strict=True)]
            for part, share in parts.items():
                made[part] = made.get(part, Fraction(0)) + factor * share
        pivot_at = next((place for place, number in enumerate(rest) if number), None)
        if pivot_at is None:
            ratios[name] = {part: share for part, share in made.items() if share}
        else:
            leading.append(name)
            reduced.append((pivot_at, rest, {name: Fraction(1)} | {part: -share for part, share in made.items()}))
    return tuple(leading), ratios


def _total_state(model: OdeModel, system: System, state: State, name: str, fast: Iterable[str]) -> State:
    """The state of a total: its definition with the initial values, and with the slow rates, of its species."""
    parts = [one for one in model.states if one.id in system.scale]
    starts = {one.id: one.initial for one in parts}
    moves = {one.id: _slow(one.rate, fast) for one in parts}
    label = f"total of {state.label or state.id} and what fast reactions make of it"
    definition = system.total(state.id)
    return State(name, substitute(definition, starts), substitute(definition, moves), "", label, state.origin)


def _adjusted(event: Event, systems: Iterable[System], totals: Mapping[str, str]) -> Event:
    """The event with the totals of what it sets in the place of species that rules give."""
    new = dict(event.assignments)
    kept = {target: expr for target, expr in new.items() if target not in totals}
    for system in systems:
        if system.used & new.keys():
            if isinstance(event, StateEvent) and event.from_trigger_time and not new.keys() >= system.scale.keys():
                place = event.origin.place
                raise refuse("fast_event", f"event '{event.id}'", place)
            kept |= {totals[name]: substitute(system.total(name), new) for name in system.ratios}
    return replace(event, assignments=tuple(kept.items()))


def _times(ratio: Fraction, expr: Expr) -> Expr:
    return multiply(Num(ratio.numerator / ratio.denominator), expr)
