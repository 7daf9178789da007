"""Imports point down, and every third-party package has its home."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import bonesim

SRC = Path(bonesim.__file__).parent
FILES = sorted(path for path in SRC.rglob("*.py") if "_data" not in path.parts)

LAYERS = [
    {"aligned", "errors", "referee", "system"},
    {"units", "resources"},
    {"yamlio"},
    {"model", "catalog"},
    {"sbml", "network", "pharmacology"},
    {"compose"},
    {"scenario"},
    {"codegen", "solve"},
    {"results"},
    {"accuracy", "equilibrium", "sensitivity"},
    {"simulate"},
    {"ensemble", "experiment", "failure", "steady"},
    {"run"},
    {"shapley", "trial"},
    {"compare", "explain", "profile", "sweep"},
    {"export", "doctor", "plot", "verify"},
    {"cli"},
    {"__init__", "__main__"},
]
RANK = {part: rank for rank, parts in enumerate(LAYERS) for part in parts}

ONLY_SYSTEM_BELOW = {"solve": {"aligned", "errors", "system", "solve"}}

HOMES = {
    "llvmlite": {"codegen"},
    "libsbml": {"sbml"},
    "antimony": {"sbml"},
    "roadrunner": {"referee"},
    "COPASI": {"referee"},
    "yaml": {"yamlio"},
    "pydantic_core": {"yamlio"},
    "pydantic": {"yamlio", "compose", "catalog", "scenario"},
    "xarray": {"results", "simulate", "steady", "run", "sweep", "plot", "export", "doctor", "cli"},
    "h5netcdf": {"results"},
    "zarr": {"sweep"},
    "scipy": {"sweep"},
    "matplotlib": {"plot"},
    "click": {"cli"},
    "rich": {"cli"},
}
ANYWHERE = {"numpy"}


def part_of(file: Path) -> str:
    return file.relative_to(SRC).parts[0].removesuffix(".py")


def imports(file: Path) -> Iterator[str]:
    """Every module a file imports, inside functions too; imports for type checking alone are left out."""
    for node in runtime_nodes(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield from (
                [f"bonesim.{alias.name}" for alias in node.names] if node.module == "bonesim" else [node.module]
            )


def runtime_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    if isinstance(tree, ast.If) and "TYPE_CHECKING" in ast.unparse(tree.test):
        return
    yield tree
    for child in ast.iter_child_nodes(tree):
        yield from runtime_nodes(child)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SRC)))
def test_a_module_imports_only_its_own_part_and_lower_layers(file: Path) -> None:
    part = part_of(file)
    wrong = []
    for name in imports(file):
        if name.startswith("bonesim"):
            target = name.split(".")[1] if "." in name else "__init__"
            allowed = ONLY_SYSTEM_BELOW.get(part)
            below = target in allowed if allowed else target == part or RANK.get(target, -1) < RANK[part]
            says_its_version = part == "cli" and name in {"bonesim", "bonesim.__version__"}
            if below or says_its_version:
                continue
            wrong.append(name)
    assert not wrong, f"{part} must not import {wrong}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SRC)))
def test_a_third_party_package_is_imported_in_its_home_only(file: Path) -> None:
    packages = {name.partition(".")[0] for name in imports(file)} - sys.stdlib_module_names - {"bonesim"} - ANYWHERE
    strangers = {package for package in packages if part_of(file) not in HOMES.get(package, set())}
    assert not strangers


def test_every_part_has_a_layer() -> None:
    assert {part_of(file) for file in FILES} == set(RANK)


def test_help_loads_nothing_heavy() -> None:
    heavy = ["numpy", "xarray", "pandas", "libsbml", "matplotlib", "pydantic", "rich"]
    code = (
        "import sys; from bonesim.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        f"print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
