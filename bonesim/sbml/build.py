"""The flat model in an SBML document: which symbol is a state, a rule or a parameter, and at which rate states change.

A species' symbol is its concentration, unless it has only substance units or stands in a compartment without size;
its state is what its symbol means, unless the size of its compartment changes (`sbml.species`):

    d(amount)/dt = f sum_r n_r v_r        d(concentration)/dt = f sum_r n_r v_r / size

with n_r the stoichiometry in reaction r, v_r its rate (extent per time) and f the conversion factor, if there is one.
SBML Level 3 Version 2 Core, sections 4.6, 4.8 and 4.11.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import PurePath

from bonesim.errors import InputError
from bonesim.model.check import in_order, well_posed
from bonesim.model.evaluate import evaluate
from bonesim.model.expr import Call, Expr, Num, Sym, product, symbols
from bonesim.model.ode import OdeModel, Origin, Parameter, Rule, Species, State
from bonesim.model.past import Past, is_delayed
from bonesim.sbml.algebra import determined, refuse_early_use
from bonesim.sbml.annotations import read_annotations
from bonesim.sbml.document import Document, Element, each
from bonesim.sbml.events import with_events
from bonesim.sbml.fast import with_equilibria
from bonesim.sbml.formulas import Formulas, read_formulas, short_id
from bonesim.sbml.rates import with_rates
from bonesim.sbml.species import by_amount, has_size, is_amount, with_amounts_set

Terms = dict[Expr, dict[str, float]]
"""Symbolic part of the stoichiometry (1 for none) -> reaction -> number before it."""


def built(document: Document) -> OdeModel:
    """The model; InputError or UnsupportedModelError if it is incomplete, inconsistent or beyond what we do."""
    formulas = read_formulas(document)
    builder, defined = _Builder(document, determined(document, formulas)), {*formulas.assignments, *formulas.laws}
    model = well_posed(with_rates(builder.model(), document.math.rates, defined))
    refuse_early_use(model)
    values = initial_values(model)
    known = tuple(replace(p, value=values[p.id]) if math.isnan(p.value) else p for p in model.parameters)
    model = model.with_(parameters=known)
    model = well_posed(with_amounts_set(with_events(model, builder.formulas.events)))
    return with_equilibria(model, builder.formulas.fast, builder.moved, values)


def initial_values(model: OdeModel) -> dict[str, float]:
    """Every symbol's value at time 0, initial assignments and rules followed; InputError if they are circular."""
    first: dict[str, Expr] = {rule.id: rule.expr for rule in model.rules}
    first |= {state.id: state.initial for state in model.states}
    first |= {p.id: Num(p.value) if p.initial is None else p.initial for p in model.parameters}
    past = Past(model)
    first = {name: past.at(expr, Num(0.0)) if is_delayed(expr) else expr for name, expr in first.items()}
    values: dict[str, float] = {}
    for name in in_order({name: sorted(symbols(expr)) for name, expr in first.items()}, model, "initial values"):
        values[name] = float(evaluate(first[name], values))
    return values


class _Builder:
    """Collects states, parameters and rules in the order of the document."""

    def __init__(self, document: Document, formulas: Formulas) -> None:
        self.document = document
        self.sbml = document.model
        self.formulas, self.amounts = by_amount(document, formulas)
        self.compartments = {element.getId(): element for element in each(self.sbml.getListOfCompartments())}
        self.moved: set[str] = set()
        self.states: list[State] = []
        self.parameters: list[Parameter] = []
        self.rules: list[Rule] = []
        self.species: list[Species] = []

    def model(self) -> OdeModel:
        """The model without its events."""
        for compartment in self.compartments.values():
            self._compartment(compartment)
        terms = self._reactions()
        for species in each(self.sbml.getListOfSpecies()):
            self._species(species, terms.get(species.getId(), {}))
        for parameter in each(self.sbml.getListOfParameters()):
            value = Num(float(parameter.getValue())) if parameter.isSetValue() else None
            self._define(parameter, value, self.document.unit_text(parameter.getUnits()))
        self.parameters += self.formulas.local
        return OdeModel(
            id=self.sbml.getId() or short_id(PurePath(self.document.file).stem or "model"),
            states=tuple(self.states),
            parameters=tuple(self.parameters),
            rules=tuple(self.rules),
            name=self._label(self.sbml),
            time_unit=self.document.unit_text(self.document.default_unit("time")),
            origin=Origin(self.document.file, None),
            species=tuple(self.species),
            annotations=read_annotations(self.document),
        )

    def _label(self, element: Element) -> str:
        """The `name`; Level 1 has ids under that attribute."""
        return str(element.getName()) if self.document.level > 1 else ""

    def _define(
        self, element: Element, declared: Expr | None, unit: str, rate: Expr | None = None, name: str = ""
    ) -> None:
        """A symbol as rule, state or parameter; `declared` is the initial value in its attributes.

        `name` is that of the amount of a species whose concentration is a rule.
        """
        label, origin = self._label(element), self.document.origin(element)
        if name:
            label = f"amount of {label or element.getId()}"
        name = name or element.getId()
        if name in self.formulas.assignments:
            self.rules.append(Rule(name, self.formulas.assignments[name], unit, label, origin))
            return
        assigned = self.formulas.initial.get(name)
        initial = declared if assigned is None else assigned
        constraint = self.formulas.constraints.get(name)
        if constraint is not None:
            rule = Origin(constraint.where.place.file, constraint.where.place.line)
            guess = Num(1.0) if initial is None else initial
            self.states.append(State(name, guess, constraint.residual, unit, label, rule, algebraic=True))
            return
        if initial is None:
            raise InputError(
                f"'{name}' has no value", place=self.document.place(element), remedy="give it an initial value"
            )
        rate = self.formulas.rates.get(name, rate)
        if rate is not None:
            self.states.append(State(name, initial, rate, unit, label, origin))
            return
        value = declared.value if isinstance(declared, Num) else math.nan
        kept = None if assigned is None and isinstance(initial, Num) else initial
        self.parameters.append(Parameter(name, value, unit, kept, label, origin))

    def _compartment(self, compartment: Element) -> None:
        if self._has_size(compartment):
            size = Num(float(compartment.getSize())) if compartment.isSetSize() or self.document.level == 1 else None
            self._define(compartment, size, self.document.unit_text(self.document.size_unit(compartment)))

    def _has_size(self, compartment: Element) -> bool:
        return has_size(compartment, self.document, self.formulas)

    def _size(self, species: Element) -> Expr:
        """The size by which amount and concentration of a species differ."""
        compartment = self.compartments[species.getCompartment()]
        if not self._has_size(compartment):
            raise InputError(
                f"compartment '{compartment.getId()}' has no size, which species '{species.getId()}' needs",
                place=self.document.place(compartment),
                remedy='give it a size, e.g. size="1"',
            )
        return Sym(compartment.getId())

    def _reactions(self) -> dict[str, Terms]:
        """Adds each reaction as a rule; gives what each species gains and loses."""
        terms: dict[str, Terms] = {}
        named = self.formulas.named()
        extent, time = self.document.default_unit("extent"), self.document.default_unit("time")
        unit = self.document.unit_text(extent, per=time)
        for reaction in each(self.sbml.getListOfReactions()):
            name = reaction.getId()
            law, origin = self.formulas.laws[name], self.document.origin(reaction)
            self.rules.append(Rule(name, law, unit, self._label(reaction), origin))
            reactants = tuple(each(reaction.getListOfReactants()))
            for position, reference in enumerate((*reactants, *each(reaction.getListOfProducts()))):
                number, factor = self._stoichiometry(reference, name, position, named)
                part = terms.setdefault(reference.getSpecies(), {}).setdefault(factor, {})
                part[name] = part.get(name, 0.0) + (-number if position < len(reactants) else number)
        return terms

    def _stoichiometry(
        self, reference: Element, reaction: str, position: int, named: frozenset[str]
    ) -> tuple[float, Expr]:
        """Number and symbolic factor; a reference with an id is a symbol of its own, in Level 2 if it is used."""
        calculated = self.formulas.stoichiometry.get((reaction, position))
        if calculated is not None:
            return (calculated.value, Num(1.0)) if isinstance(calculated, Num) else (1.0, calculated)
        given = self.document.level < 3 or reference.isSetStoichiometry()
        number = float(reference.getStoichiometry()) / (reference.getDenominator() if self.document.level == 1 else 1)
        symbol = str(reference.getId()) if self.document.level > 1 else ""
        if symbol and (symbol in named or (self.document.level > 2 and given)):
            self._define(reference, Num(number) if given else None, "dimensionless")
            return 1.0, Sym(symbol)
        if not given:
            raise InputError(
                f"species '{reference.getSpecies()}' in reaction '{reaction}' has no stoichiometry",
                place=self.document.place(reference, reaction),
                remedy='give it one, e.g. stoichiometry="1"',
            )
        return number, Num(1.0)

    def _species(self, species: Element, terms: Terms) -> None:
        if species.getCompartment() not in self.compartments:
            raise InputError(
                f"species '{species.getId()}' is in compartment '{species.getCompartment()}', which is not defined",
                place=self.document.place(species),
                remedy="define the compartment",
            )
        compartment = self.compartments[species.getCompartment()]
        sized = self._has_size(compartment)
        amount_meant = is_amount(species, compartment, sized)
        substance = species.getSubstanceUnits() or self.document.default_unit("substance")
        units = [self.document.unit_text(substance, per) for per in (None, self.document.size_unit(compartment))]
        size = compartment.getId() if sized else None
        reacts = not species.getBoundaryCondition() and not species.getConstant()
        amount = self.amounts.get(species.getId())
        if reacts:
            self.moved.add(amount or species.getId())
        if amount is not None:
            rate = self._rate(species, terms, True) if reacts else None
            self._define(species, self._declared(species, True), units[0], rate, amount)
        rate = self._rate(species, terms, amount_meant) if reacts else None
        self._define(species, self._declared(species, amount_meant), units[not amount_meant], rate)
        self.species.append(Species(species.getId(), amount_meant, size, units[amount_meant], amount))

    def _declared(self, species: Element, is_amount: bool) -> Expr | None:
        if species.isSetInitialAmount():
            amount = Num(float(species.getInitialAmount()))
            return amount if is_amount else Call("div", (amount, self._size(species)))
        if species.isSetInitialConcentration():
            concentration = Num(float(species.getInitialConcentration()))
            return Call("mul", (concentration, self._size(species))) if is_amount else concentration
        return None

    def _rate(self, species: Element, terms: Terms, is_amount: bool) -> Expr:
        change: Expr | None = None
        for factor, part in terms.items():
            for reaction, number in part.items():
                if number:
                    factors = [Num(abs(number))] * (abs(number) != 1) + [factor] * (factor != Num(1.0))
                    change = _plus(change, product([*factors, Sym(reaction)]), number > 0)
        if change is None:
            return Num(0.0)
        conversion = species.getConversionFactor() or self.sbml.getConversionFactor()
        if conversion:
            change = Call("mul", (Sym(conversion), change))
        return change if is_amount else Call("div", (change, self._size(species)))


def _plus(total: Expr | None, term: Expr, positive: bool) -> Expr:
    if total is None:
        return term if positive else Call("neg", (term,))
    return Call("add" if positive else "sub", (total, term))
