"""Models of the library, read once: libsbml takes longer to import than a scenario takes to be resolved."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from bonesim.model import document
from bonesim.model.ode import OdeModel
from bonesim.resources import cache_dir, keep_whole, model_file


def read_library_model(model_id: str) -> OdeModel:
    """A model of the library by its id; from the cache if this very file was read before by this very code.

    Raises
    ------
    InputError
        If the library has no such model.
    """
    file = model_file(model_id)
    cached = cache_dir() / "models" / f"{model_id}_{_key(file)}.json"
    try:
        return document.from_document(json.loads(cached.read_text()))
    except (OSError, ValueError, KeyError, TypeError):
        pass  # not there yet, or not whole: read the file itself
    from bonesim.sbml.read import read_model

    model = read_model(file)
    keep_whole(cached, json.dumps(document.to_document(model)))
    return model


def _key(file: Path) -> str:
    """Hash of the model file, its place, and the code that reads it."""
    readers = sorted(Path(__file__).parent.glob("*.py"))
    content = b"".join(path.read_bytes() for path in (*readers, Path(document.__file__), file))
    return hashlib.sha256(f"{file}\n".encode() + content).hexdigest()[:20]
