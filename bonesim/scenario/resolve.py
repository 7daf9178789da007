"""Scenario -> Problem: names become numbers, once, here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bonesim.catalog import Catalog, load_catalog
from bonesim.catalog.schema import Number, Species
from bonesim.compose.link import TIME_UNIT, Activity, alike, compose, driven_processes, offers
from bonesim.compose.module import Module, flat
from bonesim.compose.own import find_module, module_id, modules_with
from bonesim.compose.switches import own_name, switches
from bonesim.errors import InputError
from bonesim.model.ode import OdeModel, Parameter
from bonesim.network.compile import Network, compile_network
from bonesim.network.uptake import Exposure
from bonesim.pharmacology.schedule import record_times
from bonesim.scenario.causes import Causes, causes
from bonesim.scenario.exposure import Group, body_mass, dose_groups, early_times
from bonesim.scenario.injuries import injured, needed_modules
from bonesim.scenario.kinetics import cell_count
from bonesim.scenario.ligands import Ligands, ligands
from bonesim.scenario.problem import DOSED, VEHICLE, Output, Problem, Scope
from bonesim.scenario.schema import TISSUE, Scenario

SHOWN = {"core": ("OBp", "OBa", "OCa"), "callus_healing": ("inflammation", "cartilage", "callus_vessels", "new_bone")}
"""What the figures of cells and of healing show, by module, as far as it is there."""
AS_WRITTEN = Scope()


def resolve(scenario: Scenario, catalog: Catalog | None = None, scope: Scope = AS_WRITTEN) -> Problem:
    """The problem that a scenario states, its further arms left aside.

    The core, the tissue, further modules and one kinetics module for each source, route and carrier are joined with the
    signal network that the doses and contexts can reach. Arm `dosed` is the scenario as it stands; arm `vehicle` has
    every active amount at 0. The model starts in the healthy steady state; contexts begin at their times.

    Raises
    ------
    InputError
        For a name that the joined model does not have, an amount that cannot be converted, or modules that cannot
        be joined; with the place in the scenario.
    """
    catalog = catalog or load_catalog()
    species = catalog.species[scenario.subject.species]
    groups = dose_groups(scenario, catalog)
    disease = causes(scenario, catalog)
    hurt = [injured(module, scenario, catalog) for module in _biology(scenario, catalog)]
    biology = [one.module for one in hurt]
    injuries = {name: number for one in hurt for name, number in one.numbers.items()}
    mass, place = body_mass(scenario, species), scenario.place("subject.species")
    surface = ligands(groups, _present(biology, scope), species, mass, place)
    network = _network(scenario, catalog, groups, disease, biology, scope, surface)
    groups = [group.driven(network.properties) for group in groups]
    kinetics = [group.module for group in groups]
    parts = [*biology, *kinetics, disease.module, surface.module, Module("", network.model)]
    try:
        model = compose("scenario", parts, [Activity(*one) for one in network.activities], scope.without)
    except InputError as error:
        raise InputError.together([_placed(part, scenario) for part in error.parts]) from None
    active = [*(name for group in groups for name in group.active), *network.given]
    return Problem(
        model=model,
        arms=(DOSED, VEHICLE),
        arm_values={name: (model.by_id[name].value, 0.0) for name in active},  # type: ignore[union-attr]
        t_out=record_times(scenario.duration, scenario.record.every),
        t_early=early_times(scenario),
        outputs=(*_outputs(scenario, model, groups), *_copies(scenario, network)),
        ledger=tuple(group.ledger for group in groups),
        marks=tuple(mark for group in groups for mark in group.marks),
        sizes=_sizes(model, groups),
        solver=scenario.solver.model_dump(),
        title=scenario.title,
        scenario_text=scenario.text,
        numbers=_numbers(
            model, parts, species, {**network.numbers, **disease.numbers, **injuries, **surface.numbers}, groups
        ),
        follows={name: of for group in groups for name, of in group.follows.items()},
        acting=network.edges,
        left_out=network.left_out,
        activities=(*network.activities, *((one.cell, one.process, one.symbol) for one in network.properties)),
        drives=tuple((one.cell, one.process, one.symbol) for one in driven_processes(biology)),
        switches={one.name: off for one in biology if (off := switches(one, biology))},
        outside=surface.outside,
        uncounted=tuple(f"{cell}.{cargo}" for cell, cargo in network.uncounted),
        own={module.name: dict(module.files) for module in biology if module.files},
    )


def _placed(error: InputError, scenario: Scenario) -> InputError:
    """What cannot be joined, at the place where the scenario names its modules."""
    return InputError(error.problem, place=error.place or scenario.place("model.modules"), remedy=error.remedy)


def _biology(scenario: Scenario, catalog: Catalog) -> Iterator[Module]:
    """Core, tissue and the modules that scenario and contexts name, with the values of the subject's species."""
    species = catalog.species[scenario.subject.species]
    further = (*scenario.model.modules, *needed_modules(scenario, catalog))
    names = {scenario.model.core: "core", TISSUE: "bone"} | {module: module_id(module) for module in further}
    modules = [find_module(module, name, scenario.folder) for module, name in names.items()]
    modules[2:] = [replace(module, removable=True) for module in modules[2:]]
    _refuse_as_core(modules[0], modules[1], scenario)
    _refuse_alone(modules[2:], scenario)
    for name, module in zip(names, modules, strict=True):
        values = {symbol: number.quantity for symbol, number in species.of_module(name).items()}
        yield module.with_values(values)


def _present(biology: Sequence[Module], scope: Scope) -> list[Module]:
    return [module for module in biology if module.name not in scope.without]


def _refuse_as_core(core: Module, tissue: Module, scenario: Scenario) -> None:
    """A core of the library must count days and give what the tissue takes; a user's own is told all joins at once."""
    given = {port.name for port in core.ports if port.direction == "out"}
    taken = [port.name for port in tissue.ports if port.replaces and not port.optional]
    whys = [f"counts time in {core.model.time_unit}, not in day"] if not alike(core.model.time_unit, TIME_UNIT) else []
    if lacking := [name for name in taken if name not in given]:
        whys.append(f"has no out-ports {', '.join(lacking)}")
    if whys and not core.files:
        problem = f"'{core.model.id}' is no core for scenarios: it {' and '.join(whys)}"
        remedy = f"'bonesim models {core.model.id}' says why; take another, such as pivonka2008"
        raise InputError(problem, place=scenario.place("model.core"), remedy=remedy)


def _refuse_alone(modules: Sequence[Module], scenario: Scenario) -> None:
    """A module that a scenario names must take something from the others, or drive something in them."""
    for module in modules:
        name = module.name
        if name in scenario.model.modules and module.card and not module.card.joins:
            problem = f"'{name}' is no module for scenarios: it takes nothing from others and drives nothing in them"
            place = scenario.place(f"model.modules[{scenario.model.modules.index(name)}]")
            raise InputError(problem, place=place, remedy=f"leave it out; 'bonesim models {name}' says why")


def _network(
    scenario: Scenario,
    catalog: Catalog,
    groups: Sequence[Group],
    disease: Causes,
    biology: Sequence[Module],
    scope: Scope,
    surface: Ligands,
) -> Network:
    """The signal network between what is given and the ports of core, tissue and modules."""

    present, offered = _present(biology, scope), set(offers(biology, scope.without))
    ports = [port for module in biology for port in module.ports if port.unless not in offered]

    def wanted(cell: str, process: str) -> bool:
        taken = any(port.takes(cell, process) for port in ports)
        return taken or scope.every_process or f"{cell}.{process}" in scenario.outputs

    def carries(cell: str, node: str, process: str) -> bool:
        return not scope.every_process and any(module.leads(cell, node, process) for module in present)

    def site_of(cell: str, context: str | None) -> str:
        return scope.site or catalog.vocabulary.site_of(cell, context)

    by_source: dict[str, list[Group]] = {}
    for group in groups:
        by_source.setdefault(group.source.id, []).append(group)
    exposures = [_exposure(mine, scope.free_cargo) for mine in by_source.values()]
    species = catalog.species[scenario.subject.species]
    mass, place = body_mass(scenario, species), scenario.place("subject.species")
    sites = {site for exposure in exposures for site in exposure.sites}
    return compile_network(
        exposures,
        disease.factors,
        priors=catalog.priors,
        cells={site: cell_count(site, species, mass, place) for site in sorted(sites)},
        wanted=wanted,
        carries=carries,
        contexts=scope.contexts | {use.id for use in scenario.context},
        carriers=scope.carriers,
        lineage=catalog.vocabulary.lineage,
        outside=frozenset(surface.outside),
        site_of=site_of,
    )


def _exposure(groups: Sequence[Group], free: bool) -> Exposure:
    """What reaches cells from all doses of one source."""
    uptakes = tuple(uptake for group in groups for uptake in group.uptakes)
    return Exposure(groups[0].source, uptakes, frozenset().union(*(group.takes for group in groups)), free)


def _outputs(scenario: Scenario, model: OdeModel, groups: Sequence[Group]) -> Iterator[Output]:
    """What was asked for, then cells and exposure as far as they were not, since the figures need them."""
    exposure = {output.symbol: output for group in groups for output in group.outputs}
    asked: dict[str, str] = {}
    faults: list[InputError] = []
    for position, name in enumerate(scenario.outputs):
        place = scenario.place(f"outputs[{position}]")
        try:
            symbol = model.resolve(name)
        except InputError as error:
            lacking = () if name in model.short_names else modules_with(name)
            remedy = f"add {' or '.join(lacking)} to model.modules" if lacking else error.remedy
            faults.append(InputError(error.problem, place=place, remedy=remedy))
            continue
        if symbol in asked:
            problem = f"'{name}' and '{asked[symbol]}' are one quantity"
            faults.append(InputError(problem, place=place, remedy="keep one of the names"))
        asked[symbol] = name
        plain = _output(model, name, symbol, "output")
        known = exposure.get(symbol)
        yield replace(known, name=name, role="output") if known else plain
    if faults:
        raise InputError.together(faults)
    for symbol, name in ((flat(module, name), name) for module, names in SHOWN.items() for name in names):
        if symbol in model.by_id and name not in scenario.outputs:
            yield _output(model, name, symbol, "cell")
    yield from (output for symbol, output in exposure.items() if symbol not in asked)


def _copies(scenario: Scenario, network: Network) -> Iterator[Output]:
    """Copies of every cargo in every cell in which it acts, by the name `CELL.CARGO`."""
    for one in network.copies:
        name, label = f"{one.cell}.{one.cargo}", f"copies of {one.cargo} in {one.cell}"
        if name not in scenario.outputs:
            yield Output(name, one.symbol, "item/cell", label, "copies")


def _output(model: OdeModel, name: str, symbol: str, role: str) -> Output:
    quantity = model.by_id[symbol]
    return Output(name, symbol, quantity.unit or "dimensionless", quantity.label or name, role)


def _sizes(model: OdeModel, groups: Sequence[Group]) -> dict[str, float]:
    """Kinetics are as large as their doses; everything else that starts at zero is of order one by construction."""
    sizes = {state.id: 1.0 for state in model.states if not state.id.startswith(("core__", "bone__"))}
    for group in groups:
        prefix = f"{group.module.name}__"
        sizes |= {state.id: group.size for state in model.states if state.id.startswith(prefix)}
    return sizes


def _numbers(
    model: OdeModel,
    parts: Sequence[Module],
    species: Species,
    catalogued: Mapping[str, Number],
    groups: Sequence[Group],
) -> dict[str, Mapping[str, Any]]:
    """Value, unit, class, range and source of every number of the model, by flat id."""
    numbers: dict[str, Mapping[str, Any]] = {}
    for part in parts:
        notes = part.card.symbols if part.card else {}
        own = species.of_module(part.model.id)
        for parameter in part.model.parameters:
            if parameter.id in own:
                numbers[flat(part.name, parameter.id)] = _origin(own[parameter.id])
            elif parameter.id in notes:
                name = flat(part.name, parameter.id)
                said = notes[parameter.id].model_dump(include={"unit", *SAID}, exclude_none=True)
                computed = parameter.initial is not None or not isinstance(model.by_id[name], Parameter)
                numbers[name] = ({} if computed else {"value": parameter.value}) | said
                if (kept := own_name(name)) in model.by_id:
                    numbers[kept] = {"value": parameter.value} | said
    numbers |= {name: _origin(number) for name, number in catalogued.items()}
    for group in groups:
        numbers |= {name: _origin(number) for name, number in group.numbers.items()}
        for name, of in group.follows.items():
            numbers[name] = {**numbers[name], "basis": "computed", "source": f"in proportion to {_proportion(of)}"}
    return numbers


def _proportion(of: Mapping[str, int]) -> str:
    """The numbers behind another, in words."""
    return " and ".join(name if power == 1 else f"1/{name}" for name, power in of.items())


SAID = ("basis", "source", "low", "high", "why")
"""What is said of every number."""


def _origin(number: Number) -> dict[str, Any]:
    return number.model_dump(include={"value", "unit", *SAID}, exclude_none=True)
