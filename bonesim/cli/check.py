"""`bonesim check`: what a scenario means, without solving it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bonesim.cli.console import Page, note, print_json, with_unit, working
from bonesim.cli.files import find_scenario

if TYPE_CHECKING:
    from bonesim.catalog import Catalog
    from bonesim.scenario.arms import Comparison
    from bonesim.scenario.schema import Dose, Scenario


@click.command("check", epilog="\b\nExample:\n  bonesim check ovx_m2.yaml --set model.core=lemaire2004")
@click.argument("scenario", metavar="SCENARIO")
@click.option(
    "--set", "settings", metavar="KEY=VALUE", multiple=True, help="Change one key of the scenario; repeatable."
)
@click.option("--json", "as_json", is_flag=True, help="Print what the scenario means as JSON.")
def command(scenario: str, settings: tuple[str, ...], as_json: bool) -> None:
    """Say whether a scenario is in order, and what it means.

    SCENARIO is a YAML file, or the name of one that comes with bonesim. The checks are those of `bonesim run`;
    nothing is solved or written.
    """
    path = find_scenario(scenario)
    with working("checking"):
        from bonesim.catalog import load_catalog
        from bonesim.scenario.arms import compared
        from bonesim.scenario.load import load_scenario

        loaded = load_scenario(path, settings)
        catalog = load_catalog()
        meaning = describe(loaded, compared(loaded, catalog), catalog)
    for text in (meaning["sweep"] or {}).get("notices", ()):
        note(text)
    if as_json:
        print_json({"ok": True, "file": str(path), **meaning})
    else:
        _print(path, meaning)


def describe(scenario: Scenario, comparison: Comparison, catalog: Catalog) -> dict[str, Any]:
    """What a scenario means, as a document of JSON values."""
    subject, problem = scenario.subject, comparison.arms[0].problem
    return {
        "title": scenario.title,
        "subject": {
            "species": subject.species,
            "sex": subject.sex,
            "age": str(subject.age),
            "mass": _text(subject.mass),
        },
        "core": scenario.model.core,
        "states": len(problem.model.states),
        "arms": [arm.name for arm in comparison.arms],
        "context": [{"id": use.id, "start": str(use.start)} for use in scenario.context],
        "doses": _doses(scenario, catalog),
        "duration": str(scenario.duration),
        "recorded_times": len(problem.t_out),
        "outputs": [{"name": one.name, "unit": one.unit} for one in problem.outputs if one.role == "output"],
        "uncertainty": _uncertainty(comparison),
        "sweep": _sweep(scenario),
        "edges": {
            "acting": list(problem.acting),
            "left_out": dict(problem.left_out),
        },
    }


def _doses(scenario: Scenario, catalog: Catalog) -> list[dict[str, Any]]:
    """Every dose in the order of the file."""
    from bonesim.scenario.exposure import regimens

    found = {
        position: _dose(dose, particles)
        for regimen in regimens(scenario, catalog)
        for (position, dose), particles in zip(regimen.doses, regimen.particles, strict=True)
    }
    return [found[position] for position in sorted(found)]


def _dose(dose: Dose, particles: float) -> dict[str, Any]:
    times = [administration.time_day for administration in dose.administrations]
    return {
        "source": dose.source,
        "route": dose.route,
        "carrier": dose.carrier,
        "amount": str(dose.amount),
        "particles": particles,
        "count": dose.count,
        "first_day": times[0],
        "last_day": times[-1],
        "over": _text(dose.over),
    }


def _uncertainty(comparison: Comparison) -> dict[str, Any] | None:
    from bonesim.scenario.draws import ranges

    choice = comparison.uncertainty
    if choice is None:
        return None
    names = {name for arm in comparison.arms for name in ranges(arm.problem)}
    return {"members": choice.members, "seed": choice.seed, "drawn": sorted(names)}


def _sweep(scenario: Scenario) -> dict[str, Any] | None:
    if scenario.sweep is None:
        return None
    from bonesim.sweep.plan import plan

    design = plan(scenario).document
    varied = [axis["path"] for axis in design["axes"]]
    return {"design": design["kind"], "members": design["members"], "varied": varied, "notices": design["notices"]}


def _text(quantity: object | None) -> str | None:
    return None if quantity is None else str(quantity)


def _print(path: Path, meaning: Mapping[str, Any]) -> None:
    page = Page()
    page.title(f"ok: {path}")
    page.pairs(_lines(meaning), indent=2)
    if meaning["edges"]["left_out"]:
        page.line("left out")
        page.pairs(meaning["edges"]["left_out"].items(), indent=4)


def _lines(meaning: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    subject = meaning["subject"]
    yield "title", meaning["title"]
    yield "subject", ", ".join(text for text in subject.values() if text)
    yield "", "sex and age are held against species and contexts, and change no number in this version"
    yield "model", f"core {meaning['core']}, {meaning['states']} states in all, arms {_listed(meaning['arms'])}"
    yield "context", ", ".join(f"{use['id']} from {use['start']}" for use in meaning["context"]) or "none"
    for position, dose in enumerate(meaning["doses"]):
        yield f"doses[{position}]", _dose_text(dose)
    if not meaning["doses"]:
        yield "doses", "none"
    yield "duration", f"{meaning['duration']}, recorded {meaning['recorded_times']} times"
    yield "outputs", ", ".join(with_unit(**output) for output in meaning["outputs"])
    if drawn := meaning["uncertainty"]:
        yield "draws", f"{drawn['members']}, seed {drawn['seed']}, of {len(drawn['drawn'])} numbers that have a range"
    if sweep := meaning["sweep"]:
        members = f"{sweep['members']} member{'' if sweep['members'] == 1 else 's'}"
        yield "sweep", f"{sweep['design']}, {members} over {', '.join(sweep['varied'])}"
    acting, left_out = len(meaning["edges"]["acting"]), len(meaning["edges"]["left_out"])
    yield "edges", f"{acting} of the catalogue act, {left_out} are left out"


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _dose_text(dose: Mapping[str, Any]) -> str:
    each = " each" if dose["count"] > 1 else ""
    when = f"day {dose['first_day']:g}" + (f" to {dose['last_day']:g}" if each else "")
    over = f", over {dose['over']}" if dose["over"] else ""
    amount = f"{dose['count']} x {dose['amount']}" if each else dose["amount"]
    how = dose["route"] + (f" in {dose['carrier']}" if dose["carrier"] else "")
    return f"{dose['source']}, {how}: {amount} ({dose['particles']:.4g} particles{each}), {when}{over}"
