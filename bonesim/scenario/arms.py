"""The arms of a scenario: what each of them solves, and what it holds at a value of its own.

`dosed` is the scenario as it stands and `vehicle` the same with every amount 0. What a further arm takes out of the
vesicles (`without`, `vesicles: empty`) stays in the equations with strength 0, so that such an arm differs from `dosed`
by numbers alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bonesim.catalog import Catalog, load_catalog
from bonesim.errors import InputError, closest, quoted
from bonesim.pharmacology.amount import amount_kind
from bonesim.scenario.comparison import ArmChange, UncertaintyChoice
from bonesim.scenario.derived import arm_place, arm_scenario, at_arm
from bonesim.scenario.exposure import Regimen, regimens
from bonesim.scenario.problem import DOSED, VEHICLE, LedgerPlan, Problem, Scope
from bonesim.scenario.resolve import resolve
from bonesim.scenario.schema import Scenario
from bonesim.yamlio.document import dotted


@dataclass(frozen=True)
class Lot:
    """Doses of one source and route that are counted alike: the vesicles in them follow from the lot.

    numbers : ids among the numbers of the problem of those that the vesicles are in proportion to
    group : of the ledger
    amounts : what these doses give to each amount parameter, by flat id
    given : vesicles of all their administrations
    size : vesicles of the largest single administration of these doses
    """

    numbers: tuple[str, ...]
    group: str
    amounts: Mapping[str, float]
    given: float
    size: float


@dataclass(frozen=True)
class Arm:
    """One arm of a run.

    problem : whose arm `dosed` it is, but for what it holds
    held : parameters at a value of the arm's own, by flat id; no draw moves them
    lots : doses that follow from a number which may be drawn
    vehicle : the arm that it is held against, which is what it would be without its doses; a vehicle's is itself
    """

    name: str
    problem: Problem
    held: Mapping[str, float]
    lots: tuple[Lot, ...] = ()
    vehicle: str = VEHICLE

    @property
    def has_own_vehicle(self) -> bool:
        """Whether the arm `vehicle` is not what it would be without its doses: other subject, model or diseases."""
        return self.vehicle != VEHICLE

    def scheduled(self, plan: LedgerPlan) -> float:
        """What a source by a route is to deliver in this arm, in the unit of the plan."""
        return 0.0 if self.name == self.vehicle else plan.scheduled

    def without_doses(self) -> Arm:
        """The arm that this one is held against."""
        place = self.problem.arms.index(VEHICLE)
        nothing = {symbol: values[place] for symbol, values in self.problem.arm_values.items()}
        return Arm(self.vehicle, self.problem, {**self.held, **nothing}, vehicle=self.vehicle)


@dataclass(frozen=True)
class Comparison:
    """All arms of a scenario, `dosed` and `vehicle` first, and how often numbers with a range are drawn for them.

    `own_vehicles` are solved with them and are no arms of the result: each is what one arm is held against.
    """

    arms: tuple[Arm, ...]
    uncertainty: UncertaintyChoice | None = None
    own_vehicles: tuple[Arm, ...] = ()

    @property
    def solved(self) -> tuple[Arm, ...]:
        """The arms, then the vehicles that some have of their own."""
        return (*self.arms, *self.own_vehicles)

    @classmethod
    def of(cls, problem: Problem, lots: tuple[Lot, ...] = ()) -> Comparison:
        """The arms that a problem has by itself; what is dosed owes to `lots`, and a vehicle to none."""
        arms = []
        for place, name in enumerate(problem.arms):
            own = {symbol: values[place] for symbol, values in problem.arm_values.items()}
            held = {symbol: value for symbol, value in own.items() if value != problem.stated(symbol)}
            arms.append(Arm(name, problem, held, () if name == VEHICLE else lots))
        return cls(tuple(arms))


def compared(scenario: Scenario, catalog: Catalog | None = None) -> Comparison:
    """The arms of a scenario.

    Raises
    ------
    InputError
        As `resolve`; for a further arm, at its place.
    """
    catalog = catalog or load_catalog()
    base = resolve(scenario, catalog)
    always = Comparison.of(base, lots_of(scenario, catalog)).arms
    further = [arm_of(scenario, name, base, catalog) for name in scenario.arms]
    vehicles = (arm.without_doses() for arm in further if arm.has_own_vehicle)
    return Comparison((*always, *further), scenario.uncertainty, tuple(vehicles))


def arm_of(
    scenario: Scenario, name: str, base: Problem, catalog: Catalog, besides: frozenset[str] = frozenset()
) -> Arm:
    """An arm other than the vehicle; its problem is `base`, that of the whole, where only strengths differ.

    Parameters
    ----------
    besides
        Modules that are taken out beyond what the arm itself is without.

    Raises
    ------
    InputError
        At the arm's place, for what it cannot be.
    """
    change, own = (ArmChange(), scenario) if name == DOSED else (scenario.arms[name], arm_scenario(scenario, name))
    free = change.vesicles == "free_cargo"
    if change.vesicles != "intact" and not own.doses:
        place = arm_place(scenario, name, "vesicles")
        raise InputError("nothing is dosed in this arm", place=place, remedy="leave it out, or add a dose")
    problem = base
    if change.settings or free:
        problem = _resolved(scenario, name, own, catalog, Scope(free_cargo=free))
    modules = problem.switches.keys() & {*change.without, *besides}
    if modules:
        problem = _resolved(scenario, name, own, catalog, Scope(free_cargo=free, without=frozenset(modules)))
    off = {switch for module in modules for switch in problem.switches[module]}
    words = _by_word(own, problem, catalog)
    if not besides:  # without further modules, what the arm names may act no longer
        _refuse_unknown(scenario, name, change.without, problem, words)
    off |= {gain for word in change.without for gain in words.get(word, ())}
    off |= {*_emptied(change, own, problem, catalog)}
    other = modules or any(not key.startswith("doses") for key in change.settings)
    vehicle = f"vehicle of {name}" if other or off & {*_links(problem, catalog)} else VEHICLE
    return Arm(name, problem, dict.fromkeys(sorted(off), 0.0), lots_of(own, catalog), vehicle)


def _resolved(scenario: Scenario, name: str, own: Scenario, catalog: Catalog, scope: Scope) -> Problem:
    try:
        return resolve(own, catalog, scope)
    except InputError as error:
        raise (at_arm(error, scenario, name) if name != DOSED else error) from None


def _links(problem: Problem, catalog: Catalog) -> Iterator[str]:
    """Gains of the links of mediators, which are part of the disease and not of what is dosed."""
    edges = {edge.id for edge in catalog.edges}
    return (_gain(problem, edge) for edge in problem.acting if edge not in edges)


def _by_word(own: Scenario, problem: Problem, catalog: Catalog) -> dict[str, Sequence[str]]:
    """Flat ids of the parameters that are 0 for each word that may stand in an arm's `without`."""
    edges = {edge: [_gain(problem, edge)] for edge in problem.acting}
    return {**_gains_by_cargo(own, problem, catalog), **problem.switches, **edges}


def _refuse_unknown(
    scenario: Scenario, name: str, words: Sequence[str], problem: Problem, known: Mapping[str, Sequence[str]]
) -> None:
    for position, word in enumerate(words):
        if word in known:
            continue
        place = scenario.place(dotted(("arms", name, "without", position)))
        if word in problem.left_out:
            text = f"edge {quoted(word)} does not act here: {problem.left_out[word]}"
            raise InputError(text, place=place, remedy="leave it out")
        text = f"no edge, cargo or module {quoted(word)} acts in this arm"
        raise InputError(text, place=place, remedy=closest(word, known))


def _gains_by_cargo(own: Scenario, problem: Problem, catalog: Catalog) -> dict[str, list[str]]:
    """Name and aliases of each cargo that is dosed -> strengths of its acting edges, and its molecules per vesicle."""
    found: dict[str, list[str]] = {}
    for source in dict.fromkeys(dose.source for dose in own.doses):
        entry = catalog.sources[source]
        for cargo in entry.cargo:
            edges = [edge.id for edge in entry.edges if edge.cargo == cargo.name and edge.id in problem.acting]
            gains = [_gain(problem, edge) for edge in edges]
            gains += [name for key, name in problem.outside.items() if key == (source, cargo.name)]
            for word in (cargo.name, *cargo.aliases) if gains else ():
                found.setdefault(word, []).extend(gains)
    return found


def _emptied(change: ArmChange, own: Scenario, problem: Problem, catalog: Catalog) -> Iterator[str]:
    """What is 0 in empty vesicles: strengths of all acting edges; without vesicles, also cargo on their surface."""
    if change.vesicles != "intact":
        yield from problem.outside.values()
    if change.vesicles == "empty":
        edges = {edge.id for dose in own.doses for edge in catalog.sources[dose.source].edges}
        yield from (_gain(problem, edge) for edge in edges.intersection(problem.acting))


def _gain(problem: Problem, edge: str) -> str:
    """Flat id of the parameter that says how much an edge does."""
    return next(name for name in (f"strength_{edge}", f"gain_{edge}") if name in problem.model.by_id)


def lots_of(scenario: Scenario, catalog: Catalog) -> tuple[Lot, ...]:
    """What the scenario's doses owe to their lots; amounts enter linearly."""
    return tuple(lot for regimen in regimens(scenario, catalog) for lot in _lots(regimen))


def _lots(regimen: Regimen) -> Iterator[Lot]:
    """One for each way in which doses of a regimen are counted."""
    doses = [dose for _, dose in regimen.doses]
    ways = [amount_kind(dose.amount.unit).counted for dose in doses]
    for counted in dict.fromkeys(ways):
        mine = [size if way == counted else 0.0 for size, way in zip(regimen.particles, ways, strict=True)]
        if not any(mine):
            continue
        table = regimen.timetable(regimen.doses, mine)
        yield Lot(
            numbers=tuple(regimen.of_lot(counted)),
            group=regimen.name,
            amounts={f"{regimen.name}__{one.id}": one.value for one in table.parameters if one.id in table.active},
            given=sum(dose.count * size for dose, size in zip(doses, mine, strict=True)),
            size=max(mine),
        )
