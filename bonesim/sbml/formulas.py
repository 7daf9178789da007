"""Everything an SBML model calculates, as expressions by the symbol that each defines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bonesim.errors import InputError
from bonesim.model.expr import Expr, Num, Sym, symbols
from bonesim.model.ode import Origin, Parameter
from bonesim.sbml.document import Document, Element, all_within, each
from bonesim.sbml.mathml_read import Where
from bonesim.sbml.supported import refuse


@dataclass(frozen=True)
class RawEvent:
    """An event as written; one without delay or priority has None there."""

    id: str
    trigger: Expr
    assignments: tuple[tuple[str, Expr], ...]
    initially_true: bool
    persistent: bool
    from_trigger_time: bool
    delay: Expr | None
    priority: Expr | None
    where: Where


@dataclass(frozen=True)
class Constraint:
    """An algebraic rule, `residual` = 0 at every time."""

    residual: Expr
    name: str
    where: Where


@dataclass
class Formulas:
    """The mathematics of a model; `local` holds the parameters of kinetic laws under ids of their own.

    `algebraic` are the algebraic rules as written, `constraints` those of them that stay what they are, by the variable
    that each determines (`sbml.algebra`).
    """

    assignments: dict[str, Expr] = field(default_factory=dict)
    algebraic: list[Constraint] = field(default_factory=list)
    constraints: dict[str, Constraint] = field(default_factory=dict)
    rates: dict[str, Expr] = field(default_factory=dict)
    initial: dict[str, Expr] = field(default_factory=dict)
    laws: dict[str, Expr] = field(default_factory=dict)
    fast: dict[str, Where] = field(default_factory=dict)
    stoichiometry: dict[tuple[str, int], Expr] = field(default_factory=dict)
    local: list[Parameter] = field(default_factory=list)
    events: list[RawEvent] = field(default_factory=list)

    def everything(self) -> Iterator[Expr]:
        """All expressions."""
        for table in (self.assignments, self.rates, self.initial, self.laws):
            yield from table.values()
        yield from (rule.residual for rule in self.algebraic)
        yield from self.stoichiometry.values()
        for event in self.events:
            yield event.trigger
            yield from (expr for expr in (event.delay, event.priority) if expr is not None)
            yield from (expr for _, expr in event.assignments)

    def named(self) -> frozenset[str]:
        """The symbols that something defines, sets or uses."""
        names = {*self.assignments, *self.rates, *self.initial}
        names.update(target for event in self.events for target, _ in event.assignments)
        return frozenset(names.union(*map(symbols, self.everything())))


def read_formulas(document: Document) -> Formulas:
    """All mathematics of the model.

    Raises
    ------
    InputError
        If formulas are missing or malformed.
    UnsupportedModelError
        If the model uses what `supported` lists; all uses are named at once.
    """
    reader = _Reader(document)
    for read in (reader.rules, reader.initial_assignments, reader.reactions, reader.events):
        read()
    if reader.problems:
        raise InputError.together(reader.problems)
    return reader.found


class _Reader:
    """Goes through the lists of a model once; what is wrong is noted, so that all of it can be told together."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.model = document.model
        self.found = Formulas()
        self.problems: list[InputError] = []
        self.taken = {element.getId() for element in all_within(self.model)}

    @property
    def may_lack_math(self) -> bool:
        """Whether elements may be without formula, and then mean nothing: since Level 3 Version 2."""
        return (self.document.level, int(self.document.raw.getVersion())) >= (3, 2)

    def formula(self, node: Element, where: Where, names: Mapping[str, Expr] | None = None) -> Expr:
        """One formula; NaN where it is noted as a problem."""
        try:
            return self.document.math.expression(node, where, names)
        except InputError as error:
            self.problems.append(error)
            return Num(float("nan"))

    def refuse(self, construct: str, where: Where) -> None:
        self.problems.append(refuse(construct, where.what, where.place))

    def unique(self, wanted: str) -> str:
        """An id that nothing in the model has."""
        while wanted in self.taken:
            wanted += "_"
        self.taken.add(wanted)
        return wanted

    def _is_empty(self, element: Element) -> bool:
        """Whether an element has no mathematics, which Level 3 Version 2 allows: then it says nothing."""
        return self.may_lack_math and not element.isSetMath()

    def rules(self) -> None:
        for rule in each(self.model.getListOfRules()):
            variable = rule.getVariable()
            where = self.document.where(rule, f"rule for '{variable}'", variable)
            if self._is_empty(rule):
                continue
            if rule.isAlgebraic():
                self._algebraic(rule)
            else:
                table = self.found.rates if rule.isRate() else self.found.assignments
                table[variable] = self.formula(rule.getMath(), where)

    def _algebraic(self, rule: Element) -> None:
        """A rule without mathematics, which Level 3 Version 2 allows, says nothing."""
        if rule.isSetMath():
            where = self.document.where(rule, "algebraic rule")
            name = str(rule.getName()) if self.document.level > 2 else ""
            self.found.algebraic.append(Constraint(self.formula(rule.getMath(), where), name, where))

    def initial_assignments(self) -> None:
        for assignment in each(self.model.getListOfInitialAssignments()):
            symbol = assignment.getSymbol()
            where = self.document.where(assignment, f"initial assignment of '{symbol}'", symbol)
            if not self._is_empty(assignment):
                self.found.initial[symbol] = self.formula(assignment.getMath(), where)

    def reactions(self) -> None:
        for reaction in each(self.model.getListOfReactions()):
            where = self.document.where(reaction, f"reaction '{reaction.getId()}'")
            if reaction.isSetFast() and reaction.getFast():
                self.found.fast[reaction.getId()] = where
            self._law(reaction, where)
            self._stoichiometry(reaction)

    def _law(self, reaction: Element, where: Where) -> None:
        law = reaction.getKineticLaw()
        if law is None:
            problem = f"{where.what} has no kinetic law"
            self.problems.append(InputError(problem, place=where.place, remedy="give it a <kineticLaw>"))
            return
        names: dict[str, Expr] = {}
        for parameter in each(law.getListOfParameters() if self.document.level < 3 else law.getListOfLocalParameters()):
            unique = self.unique(f"{reaction.getId()}__{parameter.getId()}")
            names[parameter.getId()] = Sym(unique)
            self.found.local.append(self._local(parameter, unique, where))
        self.found.laws[reaction.getId()] = self.formula(law.getMath(), where, names)

    def _local(self, parameter: Element, unique: str, where: Where) -> Parameter:
        if not parameter.isSetValue():
            problem = f"parameter '{parameter.getId()}' of {where.what} has no value"
            self.problems.append(InputError(problem, place=self.document.place(parameter), remedy="give it a value"))
        label = parameter.getName() if self.document.level > 1 else ""
        origin = Origin(where.place.file, self.document.origin(parameter).line or where.place.line)
        unit = self.document.unit_text(parameter.getUnits())
        return Parameter(unique, float(parameter.getValue()), unit, label=label, origin=origin)

    def _stoichiometry(self, reaction: Element) -> None:
        """`stoichiometryMath` of Level 2, by reaction and position (reactants first)."""
        if self.document.level != 2:
            return
        references = (*each(reaction.getListOfReactants()), *each(reaction.getListOfProducts()))
        for position, reference in enumerate(references):
            if reference.isSetStoichiometryMath():
                what = f"stoichiometry of '{reference.getSpecies()}' in reaction '{reaction.getId()}'"
                where = self.document.where(reference, what, reaction.getId())
                math = reference.getStoichiometryMath().getMath()
                self.found.stoichiometry[reaction.getId(), position] = self.formula(math, where)

    def events(self) -> None:
        """Those without trigger, or with one that Level 3 Version 2 lets say nothing, never happen."""
        for number, event in enumerate(each(self.model.getListOfEvents()), start=1):
            event_id = event.getId() or self.unique(f"event{number}")
            where = self.document.where(event, f"event '{event_id}'")
            if not event.isSetTrigger() and not self.may_lack_math:
                problem = f"{where.what} has no trigger"
                self.problems.append(InputError(problem, place=where.place, remedy="give it a <trigger>"))
            trigger = self._optional(event.getTrigger(), where)
            if trigger is not None:
                self.found.events.append(self._event(event, trigger, event_id, where))

    def _event(self, event: Element, trigger: Expr, event_id: str, where: Where) -> RawEvent:
        about, before = event.getTrigger(), self.document.level < 3  # Level 2 knows neither
        assignments = (
            (assignment.getVariable(), self._optional(assignment, where))
            for assignment in each(event.getListOfEventAssignments())
        )
        return RawEvent(
            event_id,
            trigger,
            tuple((variable, expr) for variable, expr in assignments if expr is not None),
            initially_true=before or bool(about.getInitialValue()),
            persistent=before or bool(about.getPersistent()),
            from_trigger_time=bool(event.getUseValuesFromTriggerTime()),
            delay=self._optional(event.getDelay(), where),
            priority=self._optional(event.getPriority(), where),
            where=where,
        )

    def _optional(self, part: Element | None, where: Where) -> Expr | None:
        """The formula of a part of an event; None where the part is missing, or may be without one."""
        if part is None or (part.getMath() is None and self.may_lack_math):
            return None
        return self.formula(part.getMath(), where)


def short_id(text: str) -> str:
    """A text made into an SBML id."""
    word = re.sub(r"\W", "_", text, flags=re.ASCII)
    return word if word[:1].isalpha() or word[:1] == "_" else f"_{word}"
