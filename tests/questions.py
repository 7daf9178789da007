"""Scenarios for tests in one line each."""

from __future__ import annotations

from bonesim.resources import data_root
from bonesim.scenario.load import KnownNames, known_names, load_scenario
from bonesim.scenario.schema import Scenario

OVX = "[{id: ovx_osteoporosis, start: 0 week}]"


def question(*doses: str, context: str = "[]", known: KnownNames | None = None, **settings: str) -> Scenario:
    """A rat's scenario of four days with these doses; further keys are dotted with `__`, as in `subject__mass`."""
    changes = {"doses": f"[{', '.join(doses)}]", "context": context, "duration": "4 day", "record.every": "0.5 day"}
    changes |= {key.replace("__", "."): value for key, value in settings.items()}
    return load_scenario(data_root() / "scenarios" / "ovx_m2.yaml", changes, known=known or known_names())


def bolus(source: str = "macrophage_m2", amount: str = "100 ug", route: str = "intravenous", **more: str) -> str:
    """One entry under `doses`."""
    keys = {"source": source, "amount": amount, "route": route, "start": "1 day"} | more
    return "{" + ", ".join(f"{key}: {value}" for key, value in keys.items()) + "}"


def swept(doses: tuple[str, ...], vary: dict[str, str], *, kind: str = "latin_hypercube", members: int = 7) -> Scenario:
    """A rat's scenario of four days whose sweep varies these paths."""
    paths = ", ".join(f'"{path}": {values}' for path, values in vary.items())
    section = f"{{design: {kind}, members: {members}, seed: 3, vary: {{{paths}}}}}"
    return question(*doses, context=OVX, sweep=section)


REGIMENS: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "boluses": (
        (bolus(every="1 day", count="2"),),
        {"doses[0].amount": "{low: 1 ug, high: 500 ug, scale: log}", "doses[0].every": "{low: 1 h, high: 2 day}"},
    ),
    "numbers of doses": (
        (bolus(every="6 h", count="2"),),
        {"doses[0].count": "[1, 2, 5]", "doses[0].start": "[0 day, 1 day]"},
    ),
    "overlapping infusions": (
        (bolus(over="1 day"), bolus(start="1.5 day", over="1 day", amount="1e10 particles")),
        {
            "doses[0].over": "{low: 1 h, high: 2 day}",
            "doses[1].amount": "{low: 1e9 particles, high: 1e11 particles}",
            "doses[1].start": "{low: 0 day, high: 3 day}",
        },
    ),
    "two sources by body mass": (
        (bolus(amount="40 ug/kg"), bolus(source="macrophage_m1", amount="2e10 particles/kg", route="local")),
        {"subject.mass": "{low: 200 g, high: 0.4 kg}", "doses[1].amount": "[1e9 particles/kg, 1e10 particles/kg]"},
    ),
    "carriers and sites": (
        (
            bolus(route="local", carrier="beta_tcp", every="1 day", count="2"),
            bolus(route="intra_articular", amount="1e9 particles/kg", start="2 day"),
        ),
        {
            "doses[0].amount": "{low: 1 ug, high: 500 ug, scale: log}",
            "doses[0].every": "{low: 6 h, high: 2 day}",
            "macrophage_m2_local_beta_tcp.release_time": "{low: 1 day, high: 4 day}",
            "subject.mass": "{low: 200 g, high: 0.4 kg}",
        },
    ),
    "secretion by the body": (
        (bolus(route="endogenous", amount="50 ug/day", over="2 day"),),
        {
            "doses[0].amount": "{low: 1 ug/day, high: 100 ug/day}",
            "doses[0].over": "{low: 6 h, high: 3 day}",
            "subject.mass": "{low: 200 g, high: 0.4 kg}",
        },
    ),
    "context and parameters": (
        (bolus(),),
        {
            "context[0].start": "{low: 0 h, high: 48 h}",
            "core.A_OBa": "{low: 0.1 1/day, high: 0.3 1/day}",
            "macrophage_m2_intravenous.t_half_slow": "{low: 1 h, high: 9 h}",
            "V50": "[0.5 particle/cell, 2 particle/cell]",
            "basal_node": "{low: 0.2, high: 0.6}",
        },
    ),
}
"""Sweeps of each kind: doses, and the paths that vary."""
