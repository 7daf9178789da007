"""The story of `bonesim doctor`: what is installed here, and whether it gives the right answers."""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bonesim.catalog import load_catalog
from bonesim.compose.card import load_card
from bonesim.errors import BonesimError
from bonesim.model.expr import Call, Num, Sym
from bonesim.model.ode import OdeModel, Parameter, Rule, State, TimedEvent
from bonesim.resources import cache_dir, data_root, model_ids
from bonesim.results.provenance import versions
from bonesim.run import run
from bonesim.scenario.problem import DOSED, VEHICLE
from bonesim.simulate import BACKENDS, load_model, simulate

PACKAGES = (
    "bonesim",
    "numpy",
    "python-libsbml",
    "antimony",
    "libroadrunner",
    "pydantic",
    "PyYAML",
    "scipy",
    "xarray",
    "h5netcdf",
    "zarr",
    "h5py",
    "llvmlite",
    "matplotlib",
    "click",
    "rich",
)
SCENARIO = "ovx_m2.yaml"


class WrongAnswer(BonesimError):
    """A self-test that ran and gave another result than it must."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: its name, whether it works, and what was seen."""

    name: str
    ok: bool
    text: str


@dataclass(frozen=True)
class Report:
    """Versions of what is installed, and all findings."""

    versions: dict[str, str]
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether everything works."""
        return all(finding.ok for finding in self.findings)

    def document(self) -> dict[str, Any]:
        """The report as JSON values."""
        rows = [{"name": one.name, "ok": one.ok, "text": one.text} for one in self.findings]
        return {"ok": self.ok, "versions": self.versions, "checks": rows}


def examine() -> Report:
    """Look at everything; a test that fails is a finding, never an exception. Takes about five seconds."""
    checks: dict[str, Callable[[], str]] = {
        "back ends": lambda: ", ".join(BACKENDS),
        "cache": cache,
        "library": library,
        "catalogue": catalogue,
        "dosing": dosing,
        "scenario": shipped_scenario,
    }
    system = {"python": platform.python_version(), "system": f"{platform.system()} {platform.machine()}"}
    return Report(system | versions(PACKAGES), tuple(_finding(name, check) for name, check in checks.items()))


def cache() -> str:
    """Where generated code is kept, and how much there is."""
    folder = cache_dir()
    files = [path for path in folder.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    return f"{folder}, writable, {len(files)} files, {size / 1e6:.1f} MB"


def library() -> str:
    """Every model of the library can be read, with its card."""
    for model_id in model_ids():
        load_model(model_id)
        load_card(model_id)
    return f"{len(model_ids())} models in {data_root() / 'models'}"


def catalogue() -> str:
    """The catalogue is complete and agrees with itself."""
    catalog = load_catalog()
    return f"{len(catalog.sources)} sources, {len(catalog.edges)} edges, {len(catalog.contexts)} contexts"


def dosing() -> str:
    """Repeated boluses into one compartment against the closed form, and the sum of all that was given.

    With dose D, rate k and times t_i the amount is sum_i D exp(-k (t - t_i)) over t_i <= t.
    """
    dose, k, at = 100.0, 0.7, np.array([1.0, 3.0, 5.0])
    t = np.linspace(0.0, 10.0, 101)
    result = simulate(_one_compartment(dose, k), t, ["amount", "delivered"], rtol=1e-9)
    since = t[:, None] - at
    exact = np.where(since >= 0, dose * np.exp(-k * np.abs(since)), 0.0).sum(axis=1)
    error = float(np.abs(result["amount"].values - exact).max()) / dose
    gap = abs(float(result["delivered"].values[-1]) - dose * len(at)) / (dose * len(at))
    if not error < 1e-6:
        raise WrongAnswer(f"three boluses differ from the closed form by {error:.1e} of a dose")
    if not gap < 1e-9:
        raise WrongAnswer(f"the dose ledger has a gap of {gap:.1e}")
    return f"three boluses within {error:.0e} of the closed form, ledger gap {gap:.0e}"


def shipped_scenario() -> str:
    """A scenario that comes with bonesim runs with a balanced ledger (`run` holds that), and its doses do something."""
    result = run(data_root() / "scenarios" / SCENARIO)
    if result["status"].any():
        raise WrongAnswer(f"{SCENARIO}: an arm stopped early: {' '.join(map(str, result['cause'].values))}")
    end = {arm: float(result["bone_volume_fraction"].sel(arm=arm)[-1]) for arm in (DOSED, VEHICLE)}
    if end[DOSED] == end[VEHICLE]:
        raise WrongAnswer(f"{SCENARIO}: the doses change nothing")
    day = float(result["time"][-1])
    return f"{SCENARIO}: day {day:g}, bone volume fraction {end[DOSED]:.4f} dosed, {end[VEHICLE]:.4f} vehicle"


def _one_compartment(dose: float, k: float) -> OdeModel:
    """Boluses at 1, 3 and 5 days into `amount`, which goes into `gone` at the rate k."""
    flow = Call("mul", (Sym("k"), Sym("amount")))
    return OdeModel(
        id="one_compartment",
        states=(State("amount", Num(0.0), Call("neg", (flow,))), State("gone", Num(0.0), flow)),
        parameters=(Parameter("k", k), Parameter("dose", dose)),
        rules=(Rule("delivered", Call("add", (Sym("amount"), Sym("gone")))),),
        events=(TimedEvent("bolus", Num(1.0), (("amount", Call("add", (Sym("amount"), Sym("dose")))),), Num(2.0), 3),),
    )


def _finding(name: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, check())
    except BonesimError as error:
        return Finding(name, False, str(error))
    except Exception as error:  # whatever is broken on this machine is what the command is asked to tell
        return Finding(name, False, f"{type(error).__name__}: {error}")
