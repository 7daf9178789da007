"""What a scenario file may say. The JSON Schema for editors is made from these models.

Every quantity is text with a unit. Faults of a single key are the field's; faults of several keys together are found
by the `_check` of the smallest block that holds them all. Whether a name is known is a question for `scenario.load`.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, PrivateAttr, model_validator
from pydantic.json_schema import GenerateJsonSchema

from bonesim.errors import InputError, Place
from bonesim.pharmacology.amount import amount_kind
from bonesim.pharmacology.schedule import DoseAdministration, dose_times, exact_days
from bonesim.scenario.block import Block
from bonesim.scenario.comparison import ArmChange, ArmName, UncertaintyChoice
from bonesim.scenario.problem import DOSED, VEHICLE
from bonesim.scenario.sweep import SweepChoice
from bonesim.units import Quantity
from bonesim.yamlio import Document, QuantityField

MOST_RECORDS = 100_000
"""Points in time that one run may record; more would be a table that nobody reads."""

TISSUE = "bone_volume"
"""Module of the tissue, which belongs to every scenario."""

LONGEST = "200 year"
"""Beyond this a time is a slip of the pen."""

SHORTEST = Quantity.parse("1 s")
"""Below this the clock, which counts days from the start of the run, does not tell begin and end well apart."""

SMALLEST_AMOUNTS = tuple(
    map(
        Quantity.parse,
        (
            "1e-9 ug",
            "1 particle",
            "1 cell",
            "1e-9 ug/kg",
            "1 particle/kg",
            "1 cell/kg",
            "1e-9 ug/day",
            "1 particle/day",
        ),
    )
)
"""The smallest amount of each kind, apart from none: less than a vesicle is no dose."""


def _one_line(text: str) -> str:
    """`text`, refused if it holds what no file of results can: control characters, and halves of characters."""
    for position, character in enumerate(text, start=1):
        if unicodedata.category(character) in {"Cc", "Cs"}:
            problem = f"character {position} is U+{ord(character):04X}, which is not printed"
            raise InputError(problem, remedy="one line of plain text")
    return text


Line = Annotated[str, AfterValidator(_one_line)]
Time = Annotated[Quantity, QuantityField("day", at_least=0, at_most=LONGEST)]
Span = Annotated[Quantity, QuantityField("day", above=0, at_most=LONGEST)]
Duration = Annotated[Quantity, QuantityField("day", at_least=str(SHORTEST), at_most=LONGEST)]
Age = Annotated[Quantity, QuantityField("week", above=0, at_most="120 year")]
Mass = Annotated[Quantity, QuantityField("g", at_least="1 mg", at_most="1000 kg")]
Amount = Annotated[
    Quantity,
    QuantityField(
        "ug",
        "particles",
        "cells",
        "ug/kg",
        "particles/kg",
        "cells/kg",
        "ug/day",
        "particles/day",
        at_least=0,
        at_most=(
            "1 g",
            "1e16 particles",
            "1e13 cells",
            "1 g/kg",
            "1e16 particles/kg",
            "1e13 cells/kg",
            "1 g/day",
            "1e16 particles/day",
        ),
    ),
]


class Subject(Block):
    """Who is treated."""

    species: str = Field(description="Id of a species of the catalogue, such as `rat`.")
    sex: Literal["female", "male"] = Field(description="Sex of the subject; must be one that the contexts hold for.")
    age: Age = Field(description="Age at the start of the run; must be one that the species is known at.")
    mass: Mass | None = Field(default=None, description="Body mass; the species' typical mass where it is left out.")


class ModelChoice(Block):
    """Which model of bone cells answers."""

    core: str = Field(default="pivonka2008", description="Id of a core of the library, or a model file with its card.")
    modules: tuple[str, ...] = Field(
        default=(),
        description="Further modules, joined by their ports: ids of the library, such as `angiogenesis`, or own files.",
    )


class ContextUse(Block):
    """A disease or setting, and when it begins."""

    id: str = Field(description="Id of a context of the catalogue, such as `ovx_osteoporosis`.")
    start: Time = Field(default=Quantity.parse("0 day"), description="When it begins.")


class Dose(Block):
    """One preparation, given once or repeatedly."""

    source: str = Field(description="Whose vesicles; an id as in `bonesim sources`.")
    amount: Amount = Field(description="Of one administration: protein, particles or parent cells, also per body mass.")
    route: str = Field(description="How it is given; an id of a route of the catalogue.")
    carrier: str | None = Field(
        default=None, description="What holds or homes the vesicles; an id as in `bonesim carriers`."
    )
    start: Time = Field(default=Quantity.parse("0 day"), description="When the first administration begins.")
    every: Span | None = Field(default=None, description="From the start of one administration to that of the next.")
    count: int = Field(default=1, ge=1, le=MOST_RECORDS, description="How many administrations.")
    over: Time | None = Field(
        default=None,
        description="Length of each infusion, at least 1 s; a bolus where it is left out. Those that overlap add up.",
    )

    @cached_property
    def administrations(self) -> tuple[DoseAdministration, ...]:
        """When each administration begins and ends, days."""
        return dose_times(self.start, self.every, self.count, self.over)

    @model_validator(mode="after")
    def _check(self) -> Self:
        kind = amount_kind(self.amount.unit, Place(key="amount"))
        if kind.per_day and not self.over:
            problem = f"'{self.amount}' is an amount a day, and nothing says for how long"
            raise InputError(problem, place=Place(key="amount"), remedy="over: 14 day")
        if self.every and "count" not in self.model_fields_set:
            raise InputError("repeated dosing needs a number of doses", place=Place(key="every"), remedy="count: 8")
        if self.count > 1 and not self.every:
            problem = f"{self.count} doses need the time from one to the next"
            raise InputError(problem, place=Place(key="count"), remedy="every: 1 week")
        if faults := list(_too_small(self)):
            raise InputError.together(faults)
        return self


class Record(Block):
    """At which times results are kept."""

    every: Span = Field(
        default=Quantity.parse("1 day"),
        description="From one recorded time to the next; left out in a run shorter than a day, a hundredth of the run.",
    )


class SolverChoice(Block):
    """Accuracy and limits of the integration."""

    rtol: float = Field(default=1e-6, ge=1e-13, le=0.1, description="Relative tolerance of each state and step.")
    atol: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description="Absolute tolerance of all states, each in its own unit.",
    )
    method: Literal["auto", "rodas5p", "rodas4", "rodas4p"] = Field(default="auto", description="Integrator.")
    max_steps: int = Field(default=100_000, ge=1, description="Steps after which an arm is given up.")


class Scenario(Block):
    """One question: this much of that preparation, for this subject, on this schedule, watched for so long."""

    schema_version: Literal[1] = Field(description="Version of this form.")
    title: Line = Field(min_length=1, description="One line for people.")
    subject: Subject = Field(description="Who is treated.")
    model: ModelChoice = Field(default=ModelChoice(), description="Which model answers.")
    context: tuple[ContextUse, ...] = Field(default=(), description="Diseases or settings of the subject.")
    doses: tuple[Dose, ...] = Field(default=(), description="What is given; without any, the context runs alone.")
    arms: dict[ArmName, ArmChange] = Field(
        default={}, description="Further arms by name, beside `dosed` and `vehicle`, which are always there."
    )
    duration: Duration = Field(description="How long the run is.")
    outputs: tuple[str, ...] = Field(min_length=1, description="Names of the quantities to report.")
    record: Record = Field(default=Record(), description="At which times results are kept.")
    solver: SolverChoice = Field(default=SolverChoice(), description="Accuracy and limits of the integration.")
    uncertainty: UncertaintyChoice | None = Field(
        default=None, description="Draws of every number that has a range; without it, the stated values alone."
    )
    sweep: SweepChoice | None = Field(default=None, description="Variants of this scenario, for `bonesim sweep`.")

    _document: Document | None = PrivateAttr(None)
    _flags: dict[str, str] = PrivateAttr(default_factory=dict)
    _folder: Path = PrivateAttr(default_factory=Path)

    @property
    def file(self) -> str | None:
        """The file this was read from, as the user named it."""
        return self._document.file if self._document else None

    @property
    def folder(self) -> Path:
        """Where the paths of own modules start from: the folder of the scenario's file."""
        return self._folder

    @property
    def text(self) -> str:
        """All of it in one spelling, defaults included: JSON, which is YAML, and reads back as the same scenario."""
        return json.dumps(self.model_dump(mode="json", exclude_none=True), indent=2, ensure_ascii=False)

    def place(self, key: str) -> Place:
        """Where `key`, such as `doses[0].amount`, was written: the line in the file, or the flag that set it."""
        if flag := flag_of(key, self._flags):
            return Place(key=flag)
        places = self._document.places.values() if self._document else ()
        above = [place for place in places if place.key is None or key_holds(place.key, key)]
        line = max(above, key=lambda place: len(place.key or "")).line if above else None
        return Place(self.file, line, key)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if "every" not in self.record.model_fields_set:
            object.__setattr__(self, "record", Record(every=_usual_interval(self.duration)))
        faults = [*_repeated(self), *_taken_arms(self), *too_late(self), *_record(self)]
        if faults:
            raise InputError.together(faults)
        return self


class _Form(GenerateJsonSchema):
    """JSON Schema in which a default stands as a user would write it."""

    def encode_default(self, dft: Any) -> Any:
        return str(dft) if isinstance(dft, Quantity) else super().encode_default(dft)


def scenario_json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of scenario files, for editors and forms."""
    schema = Scenario.model_json_schema(schema_generator=_Form)
    return {"$schema": _Form.schema_dialect, **schema, "title": "bonesim scenario"}


LATER: dict[str, type[Block]] = {
    "menopause": Subject,
    "drug": Dose,
}
"""Keys that later versions will know -> the block they will belong to."""


def key_holds(outer: str, inner: str) -> bool:
    """Whether the dotted key `inner` is `outer` or lies below it."""
    return inner == outer or inner.startswith((f"{outer}.", f"{outer}["))


def flag_of(key: str, flags: dict[str, str]) -> str | None:
    """How a key that was set on the command line is named in a message, or None where the file set it.

    `flags` has the dotted key of everything that was set, and the flag that did it.
    """
    above = [known for known in flags if key_holds(known, key)]
    if not above:
        return None
    nearest = max(above, key=len)
    flag = flags[nearest]
    # What a flag added may be a whole block around the key that it sets.
    return flag if key_holds(key, flag.removeprefix("--set ")) else flag + key[len(nearest) :]


def _repeated(scenario: Scenario) -> Iterator[InputError]:
    named = {
        "outputs[{}]": scenario.outputs,
        "context[{}].id": [use.id for use in scenario.context],
        "model.modules[{}]": scenario.model.modules,
    }
    for key, names in named.items():
        for position, name in enumerate(names):
            if name in names[:position]:
                place = Place(key=key.format(position))
                yield InputError(f"'{name}' is named twice", place=place, remedy="name it once")


def _taken_arms(scenario: Scenario) -> Iterator[InputError]:
    for name in (DOSED, VEHICLE):
        if name in scenario.arms:
            problem = f"arm '{name}' is always there, as the scenario says it"
            yield InputError(problem, place=Place(key=f"arms.{name}"), remedy="another name")


def _too_small(dose: Dose) -> Iterator[InputError]:
    least = next(one for one in SMALLEST_AMOUNTS if one.unit.kind == dose.amount.unit.kind)
    if dose.amount.value and dose.amount.to(least.unit) < least.value:
        problem = f"'{dose.amount}' is less than the smallest dose, {least}"
        yield InputError(problem, place=Place(key="amount"), remedy=f"{least} or more, or 0 {least.unit.text} for none")

    if dose.over and dose.over.to("s") < SHORTEST.to("s"):
        problem = f"'{dose.over}' is shorter than an infusion can be, {SHORTEST}"
        yield InputError(problem, place=Place(key="over"), remedy="leave it out for a bolus")


def too_late(scenario: Scenario) -> Iterator[InputError]:
    """Contexts that begin, and doses that begin or end, after the end of the run; keys as in the file."""
    end = float(exact_days(scenario.duration))
    for position, use in enumerate(scenario.context):
        start = float(exact_days(use.start))
        if start >= end:
            problem = f"begins at {start:g} day, and the run ends at {end:g} day"
            place = Place(key=f"context[{position}].start")
            yield InputError(problem, place=place, remedy="an earlier start, or a longer duration")
    for position, dose in enumerate(scenario.doses):
        yield from _dose_too_late(dose, f"doses[{position}]", end)


def _dose_too_late(dose: Dose, key: str, end: float) -> Iterable[InputError]:
    last = dose.administrations[-1]
    if last.time_day <= end and last.end_day <= end:
        return
    late = last.time_day > end
    time = last.time_day if late else last.end_day
    guilty = "count" if dose.count > 1 else "start" if late else "over"
    which = f"dose {dose.count} of {dose.count}" if dose.count > 1 else "the dose"
    within = sum(one.end_day <= end for one in dose.administrations)
    shorter = f"count: {within}" if dose.count > 1 and within else "an earlier start"
    yield InputError(
        f"{which} {'begins' if late else 'ends'} at {time:g} day, after the end of the run at {end:g} day",
        place=Place(key=f"{key}.{guilty}"),
        remedy=f"{shorter}, or a duration of {time:g} day or more",
    )


def _record(scenario: Scenario) -> Iterator[InputError]:
    every, end = exact_days(scenario.record.every), exact_days(scenario.duration)
    place = Place(key="record.every")
    if every > end:
        problem = f"'{scenario.record.every}' is longer than the run, '{scenario.duration}'"
        remedy = f"a shorter interval, e.g. '{_usual_interval(scenario.duration)}'"
        yield InputError(problem, place=place, remedy=remedy)
    elif end / every > MOST_RECORDS:
        problem = f"'{scenario.record.every}' makes more than {MOST_RECORDS} recorded times"
        yield InputError(problem, place=place, remedy=f"an interval of {float(end / MOST_RECORDS):.3g} day or more")


def _usual_interval(duration: Quantity) -> Quantity:
    """The interval between records where none is chosen: 1 day, or a hundredth of a run that is shorter than that."""
    if exact_days(duration) >= 1:
        return Quantity.parse("1 day")
    return Quantity.parse(f"{duration.value / 100!r} {duration.unit.text}")
