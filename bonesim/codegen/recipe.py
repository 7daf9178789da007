"""What is known of kernels that were built before, so that a second process need not derive them again.

A recipe is a small JSON file in the cache: the layout, the names of the generated files, the size of the workspace.
Its name is the hash of all that kernels follow from: the model's content, what is observed, the method, the processor
and the source of every module that takes part in generating code, so that no recipe outlives the code that wrote it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bonesim.model.ode import OdeModel
from bonesim.resources import cache_dir, keep_whole
from bonesim.system import Layout

_PACKAGE = Path(__file__).resolve().parents[1]
_SOURCES = ("codegen/**/*.py", "model/*.py", "system.py")


@dataclass(frozen=True)
class Recipe:
    """Kernels as files: `module` has the plain functions, `code` the machine code with a workspace of `rows` rows."""

    layout: Layout
    module: str
    code: str
    rows: int


def recipe_key(model: OdeModel, observables: tuple[str, ...], *more: object) -> str:
    """The name of a recipe; `more` is what else its kernels follow from."""
    parts = (model.content_hash, *observables, *map(repr, more), GENERATORS)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]


def read_recipe(key: str) -> Recipe | None:
    """A recipe of the cache; None where it is missing or cannot be understood."""
    try:
        document = json.loads((_folder() / f"{key}.json").read_text())
        layout = Layout(**{name: _frozen(value) for name, value in document.pop("layout").items()})
        recipe = Recipe(layout=layout, **document)
        return recipe if type(recipe.rows) is int and recipe.rows > 0 else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def keep_recipe(key: str, recipe: Recipe) -> None:
    """Put a recipe into the cache, unless the source on disk is no longer what was loaded."""
    if _generators() == GENERATORS:
        keep_whole(_folder() / f"{key}.json", json.dumps(asdict(recipe)))


def _folder() -> Path:
    return cache_dir() / "kernels"


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _generators() -> str:
    """Hash of the source that generates code."""
    digest = hashlib.sha256()
    for pattern in _SOURCES:
        for file in sorted(_PACKAGE.glob(pattern)):
            digest.update(file.read_bytes())
    return digest.hexdigest()


GENERATORS = _generators()
"""The hash when this process loaded its code."""
