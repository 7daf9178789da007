"""The doses of one source by one route as timed events, and the numbers in them.

Boluses jump a state, infusions set a rate. All times and amounts are parameters, so that scenarios that differ in them
alone share their equations. Amounts enter linearly.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field

from bonesim.compose.card import Card
from bonesim.model.expr import Call, Sym
from bonesim.model.ode import Parameter, TimedEvent
from bonesim.pharmacology.schedule import infusion_levels
from bonesim.scenario.schema import Dose


@dataclass
class Timetable:
    """Events with their parameters, by the module's own ids; `active` are those that are 0 in the vehicle arm."""

    recorded: Container[float]
    parameters: list[Parameter] = field(default_factory=list)
    events: list[TimedEvent] = field(default_factory=list)
    active: list[str] = field(default_factory=list)

    @property
    def shape(self) -> tuple[tuple[str, int], ...]:
        """What two timetables have in common that differ in numbers alone."""
        return tuple((event.id, event.count) for event in self.events)

    def parameter(self, name: str, value: float, unit: str, label: str, *, active: bool = False) -> Sym:
        """One more parameter, as a symbol."""
        self.parameters.append(Parameter(name, value, unit, label=label))
        if active:
            self.active.append(name)
        return Sym(name)

    def bolus(self, position: int, dose: Dose, particles: float, target: str) -> None:
        """All administrations of a dose that is given at once."""
        label = f"doses[{position}]"
        amount = self.parameter(f"dose{position}_amount", particles, "item", f"{label}, particles", active=True)
        jump = (target, Call("add", (Sym(target), amount)))
        times = [administration.time_day for administration in dose.administrations]
        interval = dose.every.to("day") if dose.every else 0.0
        every = None
        if dose.every:
            every = self.parameter(f"dose{position}_every", interval, "day", f"{label}, interval")
        for number, (first, count) in enumerate(_even_runs(times, interval, self.recorded)):
            name = f"dose{position}_{number}" if number else f"dose{position}"
            start = self.parameter(f"{name}_start", first, "day", f"{label}, from day {first:g}")
            self.events.append(TimedEvent(name, start, (jump,), every if count > 1 else None, count))

    def infusions(self, levels: Sequence[tuple[float, float]], target: str) -> None:
        """The total rate of all infusions, from each time at which it changes."""
        for number, (time, rate) in enumerate(levels):
            level = self.parameter(f"rate{number}", rate, "item/day", f"infusion rate from day {time:g}", active=True)
            start = self.parameter(f"rate{number}_start", time, "day", f"begin of infusion rate {number}")
            self.events.append(TimedEvent(f"infusion{number}", start, ((target, level),)))


def timetable(
    doses: Sequence[tuple[int, Dose]], particles: Sequence[float], card: Card, recorded: Container[float]
) -> Timetable:
    """The timetable of doses of so many vesicles each.

    Parameters
    ----------
    doses : the doses with their positions in the scenario
    particles : (dose,) vesicles of one administration
    card : of the kinetics module: which state a bolus jumps, and which parameter is the rate of an infusion
    recorded : times, day, at which the run is recorded
    """
    table = Timetable(recorded)
    running = []
    for (position, dose), amount in zip(doses, particles, strict=True):
        if dose.over is None:
            table.bolus(position, dose, amount, card.port("dose").jumps or "")
        else:
            running += [(a, a.rate(amount)) for a in dose.administrations]
    table.infusions(infusion_levels(running), card.port("infusion").sets or "")
    return table


def _even_runs(times: list[float], every: float, recorded: Container[float]) -> Iterator[tuple[float, int]]:
    """(first time, count) of stretches that a repeated event, at first + k every, gives at the right times.

    The schedule rounds each time once, a repeated event rounds twice, and the two may differ by an ulp. That matters
    where a dose falls on a recorded time, the end of the run among them: it would come after the record, or never.
    """
    start = 0
    while start < len(times):
        count = 1
        while start + count < len(times):
            time = times[start + count]
            if times[start] + count * every != time and time in recorded:
                break
            count += 1
        yield times[start], count
        start += count
