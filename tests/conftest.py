"""What all tests share: a cache of their own, and the small language of `equations`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# Tests are imported by file (importlib mode), so that what they share has to be put on the path.
sys.path.insert(0, str(Path(__file__).parent))

# A first example compiles and imports kernels; its time says nothing about the code.
settings.register_profile("bonesim", deadline=None)
settings.load_profile("bonesim")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Generated code of tests goes to a temporary folder and never meets a user's."""
    folder = tmp_path_factory.mktemp("cache")
    folder.chmod(0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BONESIM_CACHE", str(folder))
        yield


@pytest.fixture(scope="module", params=["numpy", "llvm"])
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    """The back end that `equations` uses, each in turn, for every test that asks for this."""
    from equations import by_backend

    with by_backend(request.param):
        yield request.param
