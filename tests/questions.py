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
