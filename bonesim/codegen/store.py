"""Generated source as files: written once under the hash of its content, imported from there."""

from __future__ import annotations

import hashlib
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

from bonesim.errors import InputError, InternalError, Place
from bonesim.resources import cache_dir, write_whole


def import_source(text: str, *, name: str) -> tuple[ModuleType, Path]:
    """Import generated text from its file in the cache, writing the file first where it is missing or differs.

    The file name carries the hash of the text, so that a model that changed is another file, several processes
    may share one cache, and a traceback or a debugger shows the generated lines. InputError if it cannot be written.
    """
    file = generated(f"{re.sub(r'[^A-Za-z0-9_]', '_', name)[:60]}_{_key(text.encode())}.py")
    try:
        if not (file.exists() and file.read_bytes() == text.encode()):
            write_whole(file, text)
    except OSError as error:
        raise InputError(
            f"generated code cannot be written: {error.strerror}",
            place=Place(str(file)),
            remedy="set BONESIM_CACHE to a folder of your own",
        ) from None
    return import_file(file), file


def generated(name: str) -> Path:
    """The place of a generated file."""
    return cache_dir() / "kernels" / name


def is_whole(file: Path) -> bool:
    """Whether a generated file is there and has the text that its name is the hash of."""
    try:
        return file.stem.endswith(f"_{_key(file.read_bytes())}")
    except OSError:
        return False


def _key(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()[:20]


def import_file(file: Path) -> ModuleType:
    """A generated file as a module."""
    module_name = f"bonesim_kernels.{file.stem}"
    if module_name in sys.modules:
        return sys.modules[module_name]
    spec = importlib.util.spec_from_file_location(module_name, file)
    if spec is None or spec.loader is None:
        raise InternalError(f"generated code at {file} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules[module_name] = module
    return module
