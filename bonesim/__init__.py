"""What happens to bone if this much of that vesicle preparation is given to this subject, on this schedule.

    import bonesim
    result = bonesim.run("scenarios/ovx_m2.yaml")         # xarray.Dataset, dimensions (arm, time)
    result["bone_volume_fraction"].sel(arm="dosed")

The names below are all that users need; each is loaded when it is first used. Some of them are also names of parts of
the package (`bonesim.run` is a function, and the module that holds it): here they are always the function, and
`from bonesim.run import ...` still reaches into the module.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bonesim.catalog import load_catalog as catalog
    from bonesim.compare import compare
    from bonesim.compose.own import composed as compose
    from bonesim.errors import BonesimError, InputError, SimulationError, UnsupportedModelError
    from bonesim.explain import explain
    from bonesim.export import export_antimony, export_omex, export_sbml
    from bonesim.failure import explain_failure
    from bonesim.profile import profile
    from bonesim.results.species import amount, concentration
    from bonesim.results.store import read_run, summary
    from bonesim.run import run
    from bonesim.scenario.load import load_scenario
    from bonesim.simulate import load_model, simulate
    from bonesim.steady import steady_state
    from bonesim.sweep import read_study, sweep
    from bonesim.verify import verify

    __version__: str

__all__ = [
    "BonesimError",
    "InputError",
    "SimulationError",
    "UnsupportedModelError",
    "__version__",
    "amount",
    "catalog",
    "compare",
    "compose",
    "concentration",
    "explain",
    "explain_failure",
    "export_antimony",
    "export_omex",
    "export_sbml",
    "load_model",
    "load_scenario",
    "profile",
    "read_run",
    "read_study",
    "run",
    "simulate",
    "steady_state",
    "summary",
    "sweep",
    "verify",
]

_HOMES = {
    "BonesimError": ("errors", "BonesimError"),
    "InputError": ("errors", "InputError"),
    "SimulationError": ("errors", "SimulationError"),
    "UnsupportedModelError": ("errors", "UnsupportedModelError"),
    "amount": ("results.species", "amount"),
    "catalog": ("catalog", "load_catalog"),
    "compare": ("compare", "compare"),
    "compose": ("compose.own", "composed"),
    "concentration": ("results.species", "concentration"),
    "explain": ("explain", "explain"),
    "explain_failure": ("failure", "explain_failure"),
    "export_antimony": ("export", "export_antimony"),
    "export_omex": ("export", "export_omex"),
    "export_sbml": ("export", "export_sbml"),
    "load_model": ("simulate", "load_model"),
    "load_scenario": ("scenario.load", "load_scenario"),
    "profile": ("profile", "profile"),
    "read_run": ("results.store", "read_run"),
    "read_study": ("sweep", "read_study"),
    "run": ("run", "run"),
    "simulate": ("simulate", "simulate"),
    "steady_state": ("steady", "steady_state"),
    "summary": ("results.store", "summary"),
    "sweep": ("sweep", "sweep"),
    "verify": ("verify", "verify"),
}
"""Public name -> the module that has it, and its name there."""


class _Package(ModuleType):
    """The package, in which a public name is never taken over by the module of the same name.

    When `bonesim.simulate` is imported, even by another part of bonesim, Python makes it an attribute of the package;
    the function of that name would be gone.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        value: Any = _version()
    elif name in _HOMES:
        home, attribute = _HOMES[name]
        value = getattr(import_module(f"{__name__}.{home}"), attribute)
    else:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'", name=name, obj=sys.modules[__name__])
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("bonesim")
    except PackageNotFoundError:
        return "0+unknown"


sys.modules[__name__].__class__ = _Package
