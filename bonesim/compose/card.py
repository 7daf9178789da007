"""What stands in a module's card: where it comes from, what its symbols mean, and its ports."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from bonesim.errors import InputError, Place, closest
from bonesim.resources import card_file
from bonesim.yamlio import read, validate

STEADY = "steady_state"
_TIME = re.compile(r"(\w+) ([0-9.]+(?:e-?[0-9]+)?)")
"""How a published value says when: the model's unit of time, and the number."""


class Block(BaseModel):
    """A mapping of a card: unknown keys are errors, values do not change."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Citation(Block):
    """The paper behind a module."""

    text: str
    doi: str | None = None


class SymbolNote(Block):
    """What one symbol means and where its number comes from; the number itself stands in the model file."""

    label: str
    unit: str
    letter: str = Field("", description="The paper's own letter.")
    basis: Literal["measured", "fitted", "assumed", "computed"]
    source: str = ""
    low: float | None = None
    high: float | None = None
    why: str = ""


class Port(Block):
    """A named place where a module can be joined to others.

    A *process port* is named by a process of the vocabulary, with the cell in front where cells differ; it
    `multiplies` or `divides` parameters by activity over basal activity, and takes any cell or those in `cells`.
    A *node port* is the same for a molecule of the signal network: from there on the module carries the signal.
    Either is shut where another module offers the out-port named by `unless`, so that nothing acts by two ways.
    Other ports of direction `in` name a parameter that another module's value `replaces` (`optional`: it keeps its
    own value where no module has one), a state that a dose `jumps`, or a parameter that an infusion `sets`.
    Those of direction `out` give a `symbol` (`relative`: over its value at the start) or a `sum` of symbols; one
    that `drives` processes, each `cell.process`, gives them a factor that is 1 in health.
    """

    name: str
    direction: Literal["in", "out"]
    multiplies: tuple[str, ...] = ()
    divides: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()
    unless: str | None = None
    replaces: str | None = None
    optional: bool = False
    jumps: str | None = None
    sets: str | None = None
    symbol: str | None = None
    sum: tuple[str, ...] = ()
    relative: bool = False
    drives: tuple[str, ...] = ()
    why: str = ""

    @model_validator(mode="after")
    def _says_one_thing(self) -> Port:
        roles = {
            "in": [self.multiplies or self.divides, self.replaces, self.jumps, self.sets],
            "out": [self.symbol, self.sum],
        }
        here, there = roles[self.direction], roles["out" if self.direction == "in" else "in"]
        if sum(map(bool, here)) != 1 or any(there):
            raise ValueError(f"port '{self.name}' must say one thing that fits its direction")
        if self.unless and not (self.multiplies or self.divides):
            raise ValueError(f"port '{self.name}' gives way to '{self.unless}' and takes no process")
        if self.optional and not self.replaces:
            raise ValueError(f"port '{self.name}' is optional and replaces no parameter")
        if self.drives and (self.relative or not self.symbol):
            raise ValueError(f"port '{self.name}' drives processes: its symbol itself must be the factor, 1 in health")
        if wrong := [target for target in self.drives if target.count(".") != 1]:
            raise ValueError(f"port '{self.name}' drives '{wrong[0]}', which is not of the form cell.process")
        return self

    def takes(self, cell: str, process: str) -> bool:
        """Whether this is a process or node port through which `process` of `cell` acts."""
        if not (self.multiplies or self.divides):
            return False
        return self.name == f"{cell}.{process}" or (self.name == process and (not self.cells or cell in self.cells))

    @property
    def targets(self) -> tuple[str, ...]:
        """What a process or node port takes, `cell.process` as far as it says which cells."""
        if not (self.multiplies or self.divides):
            return ()
        return tuple(f"{cell}.{self.name}" for cell in self.cells) or (self.name,)


class Doses(Block):
    """`amount` added to the state behind a port that `jumps`, `count` times from `first` on, `every` apart."""

    port: str
    amount: float
    first: float = 0.0
    every: float
    count: int


class Switch(Block):
    """Parameters that have another value from the time `at` on, or until a later switch."""

    at: float
    set: dict[str, float]


class Conditions(Block):
    """What an experiment changes in a module: parameters, initial values, doses; times are in the module's own unit.

    `doses` are one regimen or a list of them.
    """

    doses: tuple[Doses, ...] = ()
    set: dict[str, float] = Field(default={}, description="Parameters that differ in `window`, or throughout.")
    window: tuple[float, float] | None = None
    switches: tuple[Switch, ...] = ()
    initial: dict[str, float] = {}

    @field_validator("doses", mode="before")
    @classmethod
    def _one_or_several(cls, given: object) -> object:
        if isinstance(given, Mapping):
            return (given,)
        return tuple(given) if isinstance(given, list) else given

    @property
    def conditions(self) -> Conditions:
        """These alone, of whatever else names them."""
        return Conditions(**{name: getattr(self, name) for name in Conditions.model_fields})


class Published(Conditions):
    """A value that the module must reproduce."""

    quantity: str
    symbol: str
    at: str = Field(description="`steady_state`, or a time with the module's unit: `day 5`, `hour 24`.")
    measure: Literal["value", "largest", "least", "mean", "time_of_largest", "time_of_least"] = Field(
        "value", description="Of the course from the start to `at`, or (`value`) there."
    )
    value: float
    tolerance: float = Field(description="Relative.")
    absolute: float = Field(0.0, description="What is allowed beside it, for a value near 0.")
    source: str

    @property
    def time(self) -> float | None:
        """The number in `at`; None for a steady state."""
        return None if self.at == STEADY else float(self.at.split()[1])


class Run(Conditions):
    """One line of a figure."""

    label: str = ""


class Panel(Block):
    """One axis of a figure: the courses of its symbols."""

    symbols: tuple[str, ...] = Field(min_length=1)
    label: str
    scale: Literal["linear", "log"] = "linear"


class Figure(Block):
    """A figure of the paper, drawn from the module: the same panels for each run."""

    id: str
    shows: str = Field(description="Which figure of the paper it is, and what one sees there.")
    since: float = Field(0.0, description="From when on courses are shown; they begin at 0.")
    until: float
    runs: tuple[Run, ...] = (Run(),)
    panels: tuple[Panel, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _tells_lines_apart(self) -> Figure:
        if len(self.runs) > 1 and any(len(panel.symbols) > 3 for panel in self.panels):
            raise ValueError("runs differ by colour and symbols by dashes: of several runs at most 3 symbols a panel")
        return self


class Card(Block):
    """One module's card."""

    id: str
    kind: Literal["core", "pharmacokinetics", "signal", "tissue"]
    title: str
    reference: Citation
    time_unit: str
    about: str
    changes: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    symbols: dict[str, SymbolNote]
    ports: tuple[Port, ...]
    published: tuple[Published, ...] = ()
    figures: tuple[Figure, ...] = ()

    @property
    def joins(self) -> bool:
        """Whether the module takes something from others, or drives something in them."""
        return any(one.multiplies or one.divides or one.replaces or one.drives for one in self.ports)

    def port(self, name: str) -> Port:
        """The port of that name, or an `InputError` that offers the nearest."""
        for port in self.ports:
            if port.name == name:
                return port
        known = [port.name for port in self.ports]
        raise InputError(f"module '{self.id}' has no port '{name}'", remedy=closest(name, known))

    @model_validator(mode="after")
    def _names_its_symbols(self) -> Card:
        faults = [
            InputError(f"unknown symbol '{name}'", place=Place(key=key), remedy=closest(name, self.symbols))
            for key, name in self._named()
            if name not in self.symbols
        ]
        if faults:
            raise InputError.together(faults)
        return self

    @model_validator(mode="after")
    def _says_when(self) -> Card:
        faults = []
        for number, row in enumerate(self.published):
            time, place = _TIME.fullmatch(row.at), Place(key=f"published[{number}].at")
            if row.at == STEADY and row.measure != "value":
                faults.append(InputError(f"a steady state has no '{row.measure}'", place=place, remedy="leave it out"))
            elif row.at != STEADY and (time is None or time[1] != self.time_unit):
                remedy = f"'{STEADY}', or a time such as '{self.time_unit} 5'"
                faults.append(InputError(f"'{row.at}' is no time of this model", place=place, remedy=remedy))
        if faults:
            raise InputError.together(faults)
        return self

    @model_validator(mode="after")
    def _doses_go_through_its_ports(self) -> Card:
        jumping = [port.name for port in self.ports if port.jumps]
        faults = [
            InputError(
                f"no port '{doses.port}' that jumps",
                place=Place(key=f"{key}.doses{number}.port"),
                remedy=closest(doses.port, jumping),
            )
            for key, conditions in self._experiments()
            for number, doses in _numbered(conditions.doses)
            if doses.port not in jumping
        ]
        if faults:
            raise InputError.together(faults)
        return self

    def _experiments(self) -> Iterator[tuple[str, Conditions]]:
        """Published values and lines of figures, with the key where they stand."""
        for number, row in enumerate(self.published):
            yield f"published[{number}]", row
        for number, figure in enumerate(self.figures):
            for place, run in enumerate(figure.runs):
                yield f"figures[{number}].runs[{place}]", run

    def _named(self) -> Iterator[tuple[str, str]]:
        """Every symbol that ports, published values and figures name, with the key where it stands."""
        for number, port in enumerate(self.ports):
            for field in ("multiplies", "divides", "sum"):
                for place, name in enumerate(getattr(port, field)):
                    yield f"ports[{number}].{field}[{place}]", name
            for field in ("replaces", "jumps", "sets", "symbol"):
                if name := getattr(port, field):
                    yield f"ports[{number}].{field}", name
        for number, row in enumerate(self.published):
            yield f"published[{number}].symbol", row.symbol
        for number, figure in enumerate(self.figures):
            for place, panel in enumerate(figure.panels):
                for position, name in enumerate(panel.symbols):
                    yield f"figures[{number}].panels[{place}].symbols[{position}]", name
        for key, conditions in self._experiments():
            for name in conditions.set:
                yield f"{key}.set.{name}", name
            for number, switch in enumerate(conditions.switches):
                for name in switch.set:
                    yield f"{key}.switches[{number}].set.{name}", name
            for name in conditions.initial:
                yield f"{key}.initial.{name}", name


def _numbered(doses: tuple[Doses, ...]) -> Iterator[tuple[str, Doses]]:
    """Each regimen with its number as a key has it, which is empty where there is one alone."""
    for number, one in enumerate(doses):
        yield f"[{number}]" if len(doses) > 1 else "", one


def load_card(module_id: str) -> Card:
    """The card of a module of the library; InputError with its line for anything it should not say."""
    file = card_file(module_id)
    state = file.stat()
    return _read_card(file, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=64)
def _read_card(file: Path, modified: int, size: int) -> Card:
    """A card as long as its file stays as it is; the stamps are there to be part of the key."""
    return validate(read(file), Card)
