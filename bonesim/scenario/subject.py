"""Whether a scenario's subject is one that its species and contexts hold for.

Sex and age enter no equation: the numbers of a species are those of one kind of animal, and a context belongs to those
in which it was observed. A question about others would get an answer that nothing stands behind, so it is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from bonesim.errors import InputError
from bonesim.scenario.schema import Scenario

if TYPE_CHECKING:
    from bonesim.catalog.schema import Context, Species


def unfit_subject(
    scenario: Scenario, species: Mapping[str, Species], contexts: Mapping[str, Context]
) -> Iterator[InputError]:
    """Everything about the subject that its species or a context does not allow; unknown names are passed over."""
    if (known := species.get(scenario.subject.species)) is not None:
        yield from _age(scenario, known)
    for position, use in enumerate(scenario.context):
        if (context := contexts.get(use.id)) is not None:
            yield from _context(scenario, position, context)


def _age(scenario: Scenario, species: Species) -> Iterator[InputError]:
    age, ages = scenario.subject.age, species.ages
    if ages and not ages.low.to("day") <= age.to("day") <= ages.high.to("day"):
        problem = f"'{age}' is no age of the species {species.id}, which is known from {ages.low} to {ages.high}"
        remedy = f"an age from {ages.low} to {ages.high}"
        yield InputError(problem, place=scenario.place("subject.age"), remedy=remedy)


def _context(scenario: Scenario, position: int, context: Context) -> Iterator[InputError]:
    subject, place = scenario.subject, scenario.place(f"context[{position}].id")
    if context.species and subject.species not in context.species:
        whom = ", ".join(context.species)
        problem = f"'{context.id}' is known for the species {whom}, not for {subject.species}"
        yield InputError(problem, place=place, remedy=f"species {' or '.join(context.species)}, or another context")
    if context.sex and subject.sex != context.sex:
        problem = f"'{context.id}' is known for {context.sex} subjects, and this one is {subject.sex}"
        yield InputError(problem, place=place, remedy=f"sex: {context.sex} under subject, or another context")
