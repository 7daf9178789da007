"""The doses of one source by one route as timed events, and the numbers in them.

Boluses jump a state, infusions set a rate. What a carrier holds is released by the module's half-life, or evenly: its
part of a bolus then adds to a rate from the dose on, and takes it back when the carrier is empty. All times and amounts
are parameters, so that scenarios that differ in them alone share their equations. Amounts enter linearly.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field

from bonesim.catalog.schema import Carrier
from bonesim.compose.card import Card
from bonesim.model.expr import Call, Expr, Num, Sym
from bonesim.model.ode import Parameter, TimedEvent
from bonesim.pharmacology.schedule import infusion_levels
from bonesim.scenario.schema import Dose


@dataclass(frozen=True)
class Entry:
    """Where a bolus enters the module, by its own ids: `free`, or `carrier` but for the share `burst`, if there is one.

    Where `rate` is named, the carrier releases evenly over `release_time`.
    """

    free: str
    carrier: str = ""
    rate: str = ""
    burst: str = "burst"
    release_time: str = "release_time"

    def jumps(self, amount: Sym) -> tuple[tuple[str, Expr], ...]:
        """What jumps when so much is given."""
        if not self.carrier:
            return (_added(self.free, amount),)
        at_once = Call("mul", (Sym(self.burst), amount))
        held = _added(self.carrier, self._held(amount))
        return (_added(self.free, at_once), held, *([_added(self.rate, self._pace(amount))] if self.rate else []))

    def end(self, amount: Sym) -> tuple[tuple[str, Expr], ...]:
        """What jumps when a carrier with so much has released it all; nothing where it empties by half-lives."""
        return ((self.rate, Call("sub", (Sym(self.rate), self._pace(amount)))),) if self.rate else ()

    def _held(self, amount: Sym) -> Expr:
        return Call("mul", (Call("sub", (Num(1.0), Sym(self.burst))), amount))

    def _pace(self, amount: Sym) -> Expr:
        return Call("div", (self._held(amount), Sym(self.release_time)))


def _added(target: str, amount: Expr) -> tuple[str, Expr]:
    return target, Call("add", (Sym(target), amount))


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

    def bolus(self, position: int, dose: Dose, particles: float, entry: Entry) -> None:
        """All administrations of a dose that is given at once."""
        label = f"doses[{position}]"
        amount = self.parameter(f"dose{position}_amount", particles, "item", f"{label}, particles", active=True)
        jumps, end = entry.jumps(amount), entry.end(amount)
        times = [administration.time_day for administration in dose.administrations]
        interval = dose.every.to("day") if dose.every else 0.0
        every = None
        if dose.every:
            every = self.parameter(f"dose{position}_every", interval, "day", f"{label}, interval")
        for number, (first, count) in enumerate(_even_runs(times, interval, self.recorded)):
            name = f"dose{position}_{number}" if number else f"dose{position}"
            start = self.parameter(f"{name}_start", first, "day", f"{label}, from day {first:g}")
            again = every if count > 1 else None
            self.events.append(TimedEvent(name, start, jumps, again, count))
            if end:
                empty = Call("add", (start, Sym(entry.release_time)))
                self.events.append(TimedEvent(f"{name}_released", empty, end, again, count))

    def later(self, time: float, target: str) -> None:
        """From this time on doses are later ones."""
        start = self.parameter("later_start", time, "day", "begin of the second dose")
        self.events.append(TimedEvent("later_doses", start, ((target, Num(1.0)),)))

    def infusions(self, levels: Sequence[tuple[float, float]], target: str) -> None:
        """The total rate of all infusions, from each time at which it changes."""
        for number, (time, rate) in enumerate(levels):
            level = self.parameter(f"rate{number}", rate, "item/day", f"infusion rate from day {time:g}", active=True)
            start = self.parameter(f"rate{number}_start", time, "day", f"begin of infusion rate {number}")
            self.events.append(TimedEvent(f"infusion{number}", start, ((target, level),)))


def entry(card: Card, carrier: Carrier | None) -> Entry:
    """Where doses in a carrier, or without one, enter the module of a card."""
    free = card.port("dose").jumps or ""
    if carrier is None or carrier.release is None:
        return Entry(free)
    rate = (card.port("even_release").sets or "") if carrier.release.form == "even" else ""
    return Entry(free, card.port("carried_dose").jumps or "", rate)


def timetable(
    doses: Sequence[tuple[int, Dose]],
    particles: Sequence[float],
    card: Card,
    recorded: Container[float],
    carrier: Carrier | None = None,
    again: float | None = None,
) -> Timetable:
    """The timetable of doses of so many vesicles each.

    Parameters
    ----------
    doses : the doses with their positions in the scenario
    particles : (dose,) vesicles of one administration
    card : of the kinetics module: which state a bolus jumps, and which parameter is the rate of an infusion
    recorded : times, day, at which the run is recorded
    carrier : what holds the vesicles of all these doses
    again : from when on, day, the module counts doses as later ones; None where it does not, or all are the first
    """
    way = entry(card, carrier)
    table = Timetable(recorded)
    running = []
    for (position, dose), amount in zip(doses, particles, strict=True):
        if dose.over is None:
            table.bolus(position, dose, amount, way)
        else:
            running += [(a, a.rate(amount)) for a in dose.administrations]
    table.infusions(infusion_levels(running), card.port("infusion").sets or "")
    if again is not None:
        table.later(again, card.port("later_doses").sets or "")
    return table


def second_time(doses: Sequence[Dose]) -> float | None:
    """When the second of all administrations begins, day; None where there is none after the first."""
    times = {administration.time_day for dose in doses for administration in dose.administrations}
    return min(times - {min(times)}, default=None)


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
