"""What a scenario means: no names left to look up, nothing left to convert."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bonesim.model.ode import OdeModel, Parameter

DOSED, VEHICLE = "dosed", "vehicle"
"""Arms of every scenario: as it stands, and with every active amount at 0."""

MOST_DRAWS = 10_000
"""Members that one run may have; quantiles of 5 and 95 % gain nothing from more."""


@dataclass(frozen=True)
class Output:
    """A quantity to record: the name in results, and the symbol of the flat model behind it.

    `role` is `output` for what was asked for, `cell` and `exposure` for what the figures need besides.
    """

    name: str
    symbol: str
    unit: str
    label: str
    role: str = "output"
    group: str = ""
    compartment: str = ""


@dataclass(frozen=True)
class LedgerPlan:
    """What one source by one route is scheduled to deliver, and the symbols that say what arrived.

    `scheduled` is in `unit`, that of the first dose; `per_unit` particles are one of it. `endogenous`, in the same
    unit, is what the body itself secretes from the first dose to the end of the run; `retained` is what a carrier
    still holds.
    """

    group: str
    source: str
    route: str
    carrier: str | None
    doses: tuple[int, ...]
    unit: str
    scheduled: float
    per_unit: float
    endogenous: float
    delivered: str
    retained: str | None


@dataclass(frozen=True)
class DoseMark:
    """Times of one dose for figures, in days; `over_day` is 0 for a bolus, `group` that of the exposure outputs."""

    label: str
    group: str
    times_day: tuple[float, ...]
    over_day: float


@dataclass(frozen=True)
class Problem:
    """One flat model with its arms, times and what to record; picklable.

    arms : names; arm k is member k of the batch
    arm_values : parameters that differ between arms, by flat id, one value an arm
    t_out : output times, day
    t_early : times of the first two days after the first dose, day, at which exposure is kept besides
    sizes : the size a state is known to take, by flat id, from which its absolute tolerance follows
    numbers : where each number came from, by flat id of the parameter; also of those that lie behind parameters
    follows : parameters that are drawn with others, by flat id: the numbers in proportion to which they are, each with
        the power in which it enters
    acting, left_out : edges of the catalogue that act here, and those that do not, with the reason
    activities, drives : (cell, process, symbol) of every factor that drives a process: of the signal network, and of
        modules
    switches : parameters, 1 each, that cut off what a module does to others where they are 0, by the module's name
    outside : (source, cargo) of what acts outside cells, with the parameter of its molecules per vesicle
    uncounted : `CELL.CARGO` of what acts in cells and of which nobody has counted how many a vesicle holds
    own : texts of the files of the user's own modules, by module and name of the file
    """

    model: OdeModel
    arms: tuple[str, ...]
    arm_values: Mapping[str, tuple[float, ...]]
    t_out: tuple[float, ...]
    t_early: tuple[float, ...]
    outputs: tuple[Output, ...]
    ledger: tuple[LedgerPlan, ...]
    marks: tuple[DoseMark, ...]
    sizes: Mapping[str, float]
    solver: Mapping[str, Any]
    title: str
    scenario_text: str
    numbers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    follows: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    acting: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    activities: tuple[tuple[str, str, str], ...] = ()
    drives: tuple[tuple[str, str, str], ...] = ()
    switches: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    outside: Mapping[tuple[str, str], str] = field(default_factory=dict)
    uncounted: tuple[str, ...] = ()
    own: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def ledger_symbols(self) -> list[str]:
        """What the ledger needs at the end of a run: what arrived, line by line, then what carriers still hold."""
        held = [plan.retained for plan in self.ledger if plan.retained]
        return [*(plan.delivered for plan in self.ledger), *held]

    def stated(self, name: str) -> float:
        """The value of a parameter, by flat id, as the model has it."""
        parameter = self.model.by_id[name]
        assert isinstance(parameter, Parameter)
        return parameter.value


@dataclass(frozen=True)
class Scope:
    """What of the catalogue acts in a problem beyond what its scenario asks for.

    every_process : edges act on their process itself, whether or not a module takes it, or a molecule before it
    contexts, carriers : conditions of edges that count as given
    site : where every cell counts as living, as if vesicles were given at the site of each effect
    free_cargo : what is dosed is the cargo of the vesicles without them
    without : modules that are taken out: what gives way to them acts again
    """

    every_process: bool = False
    contexts: frozenset[str] = frozenset()
    carriers: frozenset[str] = frozenset()
    site: str | None = None
    free_cargo: bool = False
    without: frozenset[str] = frozenset()
