"""The wheel carries all it needs: built, installed apart from the checkout, run, its result opened with xarray."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest
import xarray as xr

ROOT = Path(__file__).parents[2]


def called(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Standard output of a command, which must succeed, run without a way back into the checkout."""
    clean = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "BONESIM_CATALOG"}}
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, env=clean | environment, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    called(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, cwd=ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a new environment with our wheel; all else comes from the environment of these tests.

    The path file is read after the environment's own packages, so that our wheel wins over an installed bonesim.
    """
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=False)
    scheme = sysconfig.get_preferred_scheme("prefix")
    packages = Path(sysconfig.get_path("purelib", scheme, {"base": str(folder), "platbase": str(folder)}))
    called(sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--target", packages, wheel, cwd=folder)
    parents = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (packages / "parent.pth").write_text("\n".join(sorted(parents)) + "\n", encoding="utf-8")
    return folder / ("Scripts" if os.name == "nt" else "bin") / "python"


def test_models_scenarios_and_catalogue_are_inside(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    wanted = {
        f"bonesim/_data/{file.relative_to(ROOT).as_posix()}"
        for folder in ("models", "scenarios")
        for file in (ROOT / folder).rglob("*.*")
    }
    wanted |= {file.relative_to(ROOT).as_posix() for file in (ROOT / "bonesim" / "catalog").rglob("*.yaml")}
    assert wanted - inside == set()
    assert "bonesim/py.typed" in inside
    assert not [name for name in inside if name.startswith("tests/") or "__pycache__" in name]


def test_the_installed_package_is_the_one_that_runs(installed: Path, tmp_path: Path) -> None:
    code = "import bonesim; from bonesim.resources import data_root; print(bonesim.__file__); print(data_root())"
    package, data = map(Path, called(installed, "-c", code, cwd=tmp_path).splitlines())
    assert package.is_relative_to(installed.parents[1])
    assert data == package.parent / "_data"


def test_a_scenario_runs_from_outside_the_checkout(installed: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    printed = called(
        installed, "-m", "bonesim", "run", "ovx_m2.yaml", "-o", "out", "--json", cwd=tmp_path, BONESIM_CACHE=str(cache)
    )
    bone = json.loads(printed)["outputs"]["bone_volume_fraction"]["arms"]
    with xr.open_dataset(tmp_path / "out" / "result.nc", engine="h5netcdf") as result:
        assert (result.sizes["arm"], result.sizes["time"]) == (2, 169)
        assert result["bone_volume_fraction"].attrs["units"] == "dimensionless"
        for arm in ("dosed", "vehicle"):
            assert float(result["bone_volume_fraction"].sel(arm=arm)[-1]) == bone[arm]["final"]
        assert bone["dosed"]["final"] > bone["vehicle"]["final"]
