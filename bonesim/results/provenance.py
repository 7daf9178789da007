"""What a result says of the programs that made it."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version


def versions() -> dict[str, str]:
    """Versions of bonesim, Python and the packages that numbers depend on."""
    found = {"python": platform.python_version()}
    for package in ("bonesim", "numpy", "python-libsbml"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
