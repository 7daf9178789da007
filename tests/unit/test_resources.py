"""Where files are found, and where they may be written."""

import stat

import pytest

from bonesim import resources
from bonesim.errors import InputError


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout with one model and two scenarios."""
    package = tmp_path / "bonesim"
    for file in (
        "models/sbml/core/toy.xml",
        "models/sbml/core/toy.yaml",
        "scenarios/b.yaml",
        "scenarios/sweeps/a.yaml",
    ):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("")
    package.mkdir()
    monkeypatch.setattr(resources, "_PACKAGE", package)
    return tmp_path


def test_checkout_is_found(checkout):
    assert resources.data_root() == checkout
    assert resources.model_ids() == ("toy",)
    assert resources.model_file("toy") == checkout / "models/sbml/core/toy.xml"
    assert resources.card_file("toy") == checkout / "models/sbml/core/toy.yaml"
    assert resources.scenario_files() == (checkout / "scenarios/b.yaml", checkout / "scenarios/sweeps/a.yaml")
    assert resources.catalog_dir() == checkout / "bonesim/catalog/data"


def test_wheel_is_found(checkout):
    data = checkout / "bonesim" / "_data"
    data.mkdir()
    (checkout / "models").rename(data / "models")
    assert resources.data_root() == data
    assert resources.model_file("toy") == data / "models/sbml/core/toy.xml"


def test_unknown_model_is_refused(checkout):
    with pytest.raises(InputError) as refused:
        resources.model_file("toi")
    assert str(refused.value) == "unknown model 'toi'\n  try: did you mean 'toy'?"


def test_missing_models_are_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "bonesim")
    with pytest.raises(InputError) as refused:
        resources.data_root()
    assert str(refused.value) == "the model files of bonesim are missing\n  try: install bonesim again"


def test_cache_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("BONESIM_CACHE", str(tmp_path / "own"))
    assert resources.cache_dir() == tmp_path / "own"
    monkeypatch.delenv("BONESIM_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert resources.cache_dir() == tmp_path / "xdg" / "bonesim"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert resources.cache_dir() == tmp_path / "home" / ".cache" / "bonesim"


def test_cache_falls_back_to_a_private_folder(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.delenv("BONESIM_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(resources.tempfile, "gettempdir", lambda: str(tmp_path))
    folder = resources.cache_dir()
    assert folder.parent == tmp_path
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.chmod(0o777)
    with pytest.raises(InputError) as refused:
        resources.cache_dir()
    assert str(refused.value) == (
        "there is no folder for generated code\n  try: set BONESIM_CACHE to a folder of your own"
    )


def test_a_link_in_the_temporary_folder_is_no_cache(monkeypatch, tmp_path):
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / f"bonesim-{resources.os.getuid()}").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "file").write_text("")
    monkeypatch.delenv("BONESIM_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(resources.tempfile, "gettempdir", lambda: str(tmp_path))
    with pytest.raises(InputError, match="there is no folder for generated code"):
        resources.cache_dir()


def test_unusable_cache_that_was_asked_for_is_refused(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BONESIM_CACHE", str(tmp_path / "file" / "x"))
    with pytest.raises(InputError, match="which cannot be written or belongs to somebody else"):
        resources.cache_dir()
