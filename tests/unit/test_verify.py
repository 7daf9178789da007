"""`bonesim verify`: what passes, what does not, and what an engine does that cannot answer."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from bonesim.cli.main import main
from bonesim.compose.card import Conditions, Published, load_card
from bonesim.errors import InputError
from bonesim.experiment import experiment, reproduced
from bonesim.referee import REFEREES, NoAnswer, Question, Referee
from bonesim.sbml.antimony import antimony_to_sbml

LIBROADRUNNER = REFEREES[0]
DECAY = "model decay\n  x = 2; k = 0.5; x' = -k*x\nend\n"


def row(**changes: object) -> Published:
    known = {"quantity": "q", "symbol": "bone_mass", "at": "day 200", "value": 100.0, "tolerance": 1e-3, "source": "s"}
    return Published.model_validate(known | {"initial": {"OCa": 11.06, "OBa": 212.13}} | changes)


def test_measures_of_a_course_are_those_of_a_fine_grid() -> None:
    from bonesim.simulate import simulate

    times = np.linspace(0.0, 200.0, 40_001)
    model = experiment("komarova2003", row())
    mass = simulate(model, times, ["bone_mass"], rtol=1e-10)["bone_mass"].values
    place, mean = int(np.argmin(mass)), np.trapezoid(mass, times) / 200
    assert reproduced("komarova2003", [row(measure="least")]) == pytest.approx([mass[place]], rel=1e-7)
    assert reproduced("komarova2003", [row(measure="time_of_least")]) == pytest.approx([times[place]], abs=0.01)
    assert reproduced("komarova2003", [row(measure="largest")]) == pytest.approx([mass.max()], rel=1e-7)
    assert reproduced("komarova2003", [row(measure="mean")]) == pytest.approx([mean], rel=1e-6)


def test_conditions_that_name_something_computed_are_refused() -> None:
    with pytest.raises(InputError, match="'bone_mass' of 'komarova2003' is no parameter"):
        experiment("komarova2003", Conditions(set={"bone_mass": 1.0}))
    with pytest.raises(InputError, match="'alpha1' of 'komarova2003' is no state"):
        experiment("komarova2003", Conditions(initial={"alpha1": 1.0}))


@pytest.mark.parametrize(("at", "measure"), [("hour 5", "value"), ("day", "value"), ("steady_state", "largest")])
def test_a_card_says_when_in_the_time_of_its_model(at: str, measure: str) -> None:
    card = load_card("komarova2003").model_dump()
    card["published"] = [card["published"][0] | {"at": at, "measure": measure}]
    with pytest.raises(ValueError, match=r"is no time of this model|a steady state has no"):
        type(load_card("komarova2003")).model_validate(card)


def question(sbml: str) -> Question:
    return Question(sbml, 4, 2.0, ("x",), 1e-10, (1e-12,))


def decayed(rate: float) -> np.ndarray:
    return np.asarray(2 * np.exp(-rate * np.linspace(0, 2, 5)))


def test_an_engine_solves_in_a_process_of_its_own() -> None:
    slow, fast = (antimony_to_sbml(DECAY.replace("0.5", rate), file="decay.ant") for rate in ("0.5", "3"))
    answers = LIBROADRUNNER.courses([question(slow), question("<sbml/>"), question(fast)])
    assert isinstance(answers[1], NoAnswer)
    assert str(answers[1])
    assert np.asarray(answers[0])[:, 0] == pytest.approx(decayed(0.5), rel=1e-8)
    assert np.asarray(answers[2])[:, 0] == pytest.approx(decayed(3.0), rel=1e-8)


def test_an_engine_that_ends_its_process_is_asked_the_rest_in_another(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mortal = tmp_path / "mortal"
    mortal.write_text(MORTAL.format(python=sys.executable))
    mortal.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(mortal))
    answers = LIBROADRUNNER.courses([question(word) for word in ("1", "die", "2", "die", "die", "3")])
    assert [str(one) if isinstance(one, NoAnswer) else one.tolist() for one in answers] == [
        [[1.0]],
        "the process ended with 3",
        [[2.0]],
        "the process ended with 3",
        "the process ended with 3",
        [[3.0]],
    ]


MORTAL = """#!{python}
import json, os, sys
for line in sys.stdin:
    word = json.loads(line)[0]
    if word == "die":
        os._exit(3)
    print("[[%s]]" % word, flush=True)
"""


def test_values_and_engines_that_differ_do_not_pass(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    card = load_card("komarova2003")
    wrong = card.model_copy(update={"published": (card.published[0], row(value=101.0)), "figures": ()})
    story = import_module("bonesim.verify")
    monkeypatch.setattr(story, "load_card", lambda _: wrong)
    monkeypatch.setattr(story, "REFEREES", (Referee("broken", "numpy", LIBROADRUNNER.ask), _Shifted()))
    assert main(["verify", "komarova2003", "--json"]) == 1
    rows = json.loads(capsys.readouterr().out)
    assert [one["passed"] for one in rows if one["kind"] == "published"] == [True, False]
    engines = [one for one in rows if one["kind"] == "engine"]
    assert [one["passed"] for one in engines] == [False, False] * 2
    assert "broken" in engines[0]["source"]
    assert engines[0]["published"] is None
    assert engines[1]["published"] - engines[1]["ours"] == pytest.approx(1e-3 * engines[1]["ours"], rel=0.01)


class _Shifted(Referee):
    """An engine that is off by a thousandth."""

    def __init__(self) -> None:
        super().__init__("shifted", "numpy", LIBROADRUNNER.ask)

    def courses(self, questions: Sequence[Question]) -> list[np.ndarray | NoAnswer]:
        return [1.001 * np.asarray(one) for one in LIBROADRUNNER.courses(questions)]


def test_a_model_in_order_passes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "bone_volume"]) == 0
    assert "libRoadRunner" in capsys.readouterr().out


def test_an_unknown_model_is_refused_before_anything_is_computed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "komarova2003", "lemaire"]) == 2
    assert "models: no model 'lemaire'" in capsys.readouterr().err
