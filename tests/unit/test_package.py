"""The names that `import bonesim` offers, and what they cost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import bonesim

ROOT = Path(__file__).parents[2]
HEAVY = set("antimony h5netcdf libsbml llvmlite matplotlib numba numpy pydantic rich scipy xarray yaml zarr".split())  # noqa: SIM905


def fresh(code: str) -> str:
    """What a new interpreter prints."""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def loaded(code: str) -> set[str]:
    """Top-level packages that a new interpreter has loaded after `code`."""
    return set(fresh(f"import sys\n{code}\nprint(*{{name.partition('.')[0] for name in sys.modules}})").split())


def test_the_public_names() -> None:
    assert dir(bonesim) == [
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
    assert sorted(bonesim.__all__) == dir(bonesim)


@pytest.mark.parametrize("name", bonesim.__all__)
def test_each_public_name_is_no_module(name: str) -> None:
    value = getattr(bonesim, name)
    assert callable(value) or isinstance(value, str)
    assert not isinstance(value, ModuleType)


def test_a_name_that_does_not_exist() -> None:
    with pytest.raises(AttributeError, match=r"^module 'bonesim' has no attribute 'simulat'$"):
        bonesim.simulat  # noqa: B018


@pytest.mark.parametrize("module", ["run", "simulate", "catalog"])
def test_a_public_name_stays_a_function_after_its_module_was_imported(module: str) -> None:
    code = f"import bonesim.run, bonesim.catalog, bonesim.simulate, sys; print(callable(bonesim.{module}))"
    assert fresh(code) == "True"


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert not loaded("import bonesim") & HEAVY


def test_help_loads_nothing_heavy() -> None:
    quiet = "from contextlib import redirect_stdout\nimport io\nfrom bonesim.cli.main import main\n"
    packages = loaded(f"{quiet}with redirect_stdout(io.StringIO()): main(['--help'])")
    assert "click" in packages
    assert not packages & HEAVY
