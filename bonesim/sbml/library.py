"""Models of the library, read once: libsbml takes longer to import than a scenario takes to be resolved."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bonesim.model.document import from_document, to_document
from bonesim.model.ode import OdeModel
from bonesim.resources import cache_dir, model_file, write_whole


def read_library_model(model_id: str) -> OdeModel:
    """A model of the library by its id; from the cache if this very file was read before by this version.

    Raises
    ------
    InputError
        If the library has no such model.
    """
    file = model_file(model_id)
    cached = cache_dir() / "models" / f"{model_id}_{_key(file)}.json"
    try:
        return from_document(json.loads(cached.read_text()))
    except (OSError, ValueError, KeyError, TypeError):
        pass  # not there yet, or not whole: read the file itself
    from bonesim.sbml.read import read_model

    model = read_model(file)
    write_whole(cached, json.dumps(to_document(model)))
    return model


FORMAT = 1
"""Grows when the reader changes what it makes of a file, so that older caches are left alone."""


def _key(file: Path) -> str:
    try:
        ours = version("bonesim")
    except PackageNotFoundError:
        ours = "checkout"
    return hashlib.sha256(f"{FORMAT}\n{ours}\n{file}\n".encode() + file.read_bytes()).hexdigest()[:20]
