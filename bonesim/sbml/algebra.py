"""Algebraic rules: which variable each of them determines, and how.

A rule `0 = r` determines one variable that is not constant and that nothing else determines: no other rule, and no
reaction that changes it. Which one follows from a matching of all such rules with the variables that they contain,
directly or through assignment rules and rates of reactions (SBML Level 3 Version 2 Core, section 4.9.5). Where several
matchings exist, variables that no event sets come first, then those that are given no value.

A variable that stands linearly in its rule is solved for once and is an assignment rule from there on:

    0 = a x + b  with no x in a and b:   x = -b/a

Any other is an algebraic state: it starts from the value that it is given (1 if none is) and takes the solution to
which Newton's method leads from there. Rules that are named after variables (`sbml.write`) stay as such with these.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from bonesim.errors import InputError
from bonesim.model.derive import ZERO
from bonesim.model.expr import Expr, Num, substitute, symbols, walk
from bonesim.model.linear import linear, negative, over
from bonesim.model.matching import matching
from bonesim.model.ode import OdeModel, Parameter, State
from bonesim.sbml.document import Document, Element, each
from bonesim.sbml.formulas import Constraint, Formulas
from bonesim.sbml.supported import refuse

Rank: TypeAlias = tuple[bool, ...]

LARGEST = 2000
"""Nodes of the largest rule that is solved for its variable; a larger one stays a constraint."""


def determined(document: Document, formulas: Formulas) -> Formulas:
    """The formulas with each algebraic rule as an assignment rule, or as the constraint of a variable.

    Raises
    ------
    UnsupportedModelError
        If a rule is left without a variable, or may determine one as well as another.
    """
    if not formulas.algebraic:
        return formulas
    free = _free(document, formulas)
    links = {**formulas.laws, **formulas.assignments}
    contains = [_reached([rule.residual], links) & free.keys() for rule in formulas.algebraic]
    rank = {name: _rank(name, free[name], document, formulas) for name in free}
    named = _named(formulas.algebraic, contains)
    rest = [names - set(named.values()) if number not in named else set() for number, names in enumerate(contains)]
    owner = named | _matching(rest, sorted(free, key=lambda name: rank[name]))
    _refuse_unclear(formulas.algebraic, rest, owner, rank)
    together = _together({owner[number]: names - {owner[number]} for number, names in enumerate(contains)})
    assignments, constraints = dict(formulas.assignments), {}
    for number, rule in enumerate(formulas.algebraic):
        name = owner[number]
        solution = None if number in named else _solved(rule.residual, name, formulas, assignments, name in together)
        if solution is None:
            constraints[name] = rule
        else:
            assignments[name] = solution
    return replace(formulas, assignments=assignments, constraints=constraints)


def refuse_early_use(model: OdeModel) -> None:
    """Raises UnsupportedModelError where an initial value rests on one that constraints determine: a guess only."""
    guessed = {state.id for state in model.states if state.algebraic}
    if not guessed:
        return
    links = {rule.id: rule.expr for rule in model.rules}
    starting: tuple[State | Parameter, ...] = (*model.states, *model.parameters)
    for symbol in starting:
        if symbol.id not in guessed and symbol.initial is not None and guessed & _reached([symbol.initial], links):
            place = symbol.origin.place
            raise refuse("early_use", f"initial value of '{symbol.id}'", place)


def _free(document: Document, formulas: Formulas) -> dict[str, Element]:
    """What may vary and is determined by nothing else, in the order of the document."""
    model = document.model
    reactions = tuple(each(model.getListOfReactions()))
    references = [
        reference
        for reaction in reactions
        for reference in (*each(reaction.getListOfReactants()), *each(reaction.getListOfProducts()))
    ]
    changed = {reference.getSpecies() for reference in references}
    elements = [
        *(one for one in each(model.getListOfSpecies()) if one.getBoundaryCondition() or one.getId() not in changed),
        *each(model.getListOfParameters()),
        *each(model.getListOfCompartments()),
        *(references if document.level > 2 else ()),
    ]
    ruled = formulas.assignments.keys() | formulas.rates.keys()
    varying = [one for one in elements if document.level == 1 or not one.getConstant()]
    return {one.getId(): one for one in varying if one.getId() and one.getId() not in ruled}


def _rank(name: str, element: Element, document: Document, formulas: Formulas) -> Rank:
    """What comes first: what no event sets, what has no value, what is no species at the boundary; in Level 1, which
    marks nothing as constant, then species."""
    given = name in formulas.initial or any(
        getattr(element, f"isSet{attribute}", bool)()
        for attribute in ("Value", "Size", "InitialAmount", "InitialConcentration", "Stoichiometry")
    )
    is_set = any(name == target for event in formulas.events for target, _ in event.assignments)
    is_species = element.getElementName() in {"species", "specie"}
    boundary = is_species and bool(element.getBoundaryCondition())
    return is_set, given, boundary, document.level == 1 and not is_species


def _reached(exprs: Sequence[Expr], links: Mapping[str, Expr]) -> set[str]:
    """Every symbol that expressions rest on."""
    reached: set[str] = set()
    waiting = [name for expr in exprs for name in symbols(expr)]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += symbols(links[name]) if name in links else ()
    return reached


def _matching(contains: Sequence[Collection[str]], variables: Sequence[str]) -> dict[int, str]:
    """The variable of each equation, as many as can have one; the earlier of two variables comes first."""
    return matching(
        {variable: [equation for equation, names in enumerate(contains) if variable in names] for variable in variables}
    )


def _named(rules: Sequence[Constraint], contains: Sequence[set[str]]) -> dict[int, str]:
    """Rules that are named after variables, if they can determine these together."""
    known: set[str] = set().union(*contains)
    named = {number: rule.name for number, rule in enumerate(rules) if rule.name in known}
    names = sorted(set(named.values()))
    inside = [contains[number] & set(names) for number in named]
    return named if len(named) == len(names) == len(_matching(inside, names)) else {}


def _refuse_unclear(
    rules: Sequence[Constraint],
    contains: Sequence[Collection[str]],
    owner: Mapping[int, str],
    rank: Mapping[str, Rank],
) -> None:
    """Raises UnsupportedModelError for rules without a variable, and where another choice would be as good."""
    problems: list[InputError] = []
    for number, rule in enumerate(rules):
        if number not in owner:
            problems.append(refuse("overdetermined", rule.where.what, rule.where.place))
    for other in rank.keys() - set(owner.values()):
        for equation in sorted(_exchanged(other, contains, owner)):
            if rank[owner[equation]] == rank[other]:
                what = f"{rules[equation].where.what} with '{owner[equation]}' and '{other}'"
                problems.append(refuse("undetermined", what, rules[equation].where.place))
    if problems:
        raise InputError.together(problems)


def _exchanged(variable: str, contains: Sequence[Collection[str]], owner: Mapping[int, str]) -> set[int]:
    """The equations whose variables could give way to one that has none."""
    found: set[int] = set()
    waiting = [variable]
    while waiting:
        name = waiting.pop()
        new = {equation for equation, names in enumerate(contains) if name in names and equation in owner} - found
        found |= new
        waiting += [owner[equation] for equation in new]
    return found


def _together(others: Mapping[str, Collection[str]]) -> set[str]:
    """Variables that rules determine together: each rests on itself through others in its rule."""
    found = set()
    for name in others:
        reached: set[str] = set()
        waiting = [*others[name]]
        while waiting:
            one = waiting.pop()
            if one not in reached:
                reached.add(one)
                waiting += others.get(one, ())
        if name in reached:
            found.add(name)
    return found


def _solved(
    residual: Expr, name: str, formulas: Formulas, assignments: Mapping[str, Expr], together: bool
) -> Expr | None:
    """The variable as an expression of others, if the rule is linear in it.

    Where rules determine variables `together`, the system is eliminated, and only a number will do as pivot: by a
    parameter that is all but 0 in some member all digits would be lost, where another pivot costs none.
    """
    links = {**formulas.laws, **assignments}
    own = formulas.laws.keys() | formulas.assignments.keys()
    expr, pivot_is_number = residual, together
    while inside := [
        one for one in symbols(expr) if one != name and one in links and name in _reached([links[one]], links)
    ]:
        pivot_is_number |= not own.issuperset(inside)
        expr = substitute(expr, {one: links[one] for one in inside})
        if _longer(expr):
            return None
    parts = linear(expr, name)
    if parts is None or parts[0] == ZERO or (pivot_is_number and not isinstance(parts[0], Num)):
        return None
    slope, rest = parts
    if slope == Num(-1.0):
        return rest
    return over(negative(rest), slope)


def _longer(expr: Expr) -> bool:
    nodes: Iterator[Expr] = walk(expr)
    return any(number >= LARGEST for number, _ in enumerate(nodes))
