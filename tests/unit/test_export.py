"""Files for other simulators: Antimony that reads back as the same model, and archives that other tools can open."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree
from zipfile import ZipFile

import numpy as np
import pytest

from bonesim.cli.main import main
from bonesim.errors import InputError
from bonesim.export import export_antimony, export_omex, export_sbml, flat_model
from bonesim.model.expr import TIME, Call, Expr, Num, Sym, fold
from bonesim.model.ode import OdeModel, Parameter, State, StateEvent
from bonesim.resources import model_ids, scenario_files
from bonesim.sbml.antimony_write import write_antimony
from bonesim.sbml.read import read_antimony, read_sbml
from bonesim.scenario.load import load_scenario
from bonesim.simulate import simulate

CHECK = (
    "import sys, libsedml\n"
    "document = libsedml.readSedMLFromString(sys.stdin.read())\n"
    "course = document.getSimulation(0)\n"
    "print(document.getNumErrors(), course.getOutputEndTime(), course.getNumberOfPoints())"
)
"""In a process of its own: libsedml and libsbml share names and do not bear each other."""
SCENARIOS = {file.stem: file for file in scenario_files() if "sweep" not in file.parts}
SEDML = "{http://sed-ml.org/sed-ml/level1/version3}"


def chained(expr: Expr) -> Expr:
    """Sums and products as chains to the left, which is how Antimony gives them back; numbers with their sign."""

    def call(old: Call, args: tuple[Expr, ...]) -> Expr:
        if old.op == "neg" and isinstance(args[0], Num):
            return Num(-args[0].value)
        right = args[-1]
        if old.op in {"add", "mul"} and isinstance(right, Call) and right.op == old.op:
            return chained(Call(old.op, (Call(old.op, (args[0], right.args[0])), right.args[1])))
        return Call(old.op, args)

    return fold(expr, lambda leaf: leaf, call)


def said(model: OdeModel) -> dict[str, object]:
    """What a model says, symbol by symbol; Antimony keeps no label that is the id itself."""
    rows: dict[str, object] = {}
    for symbol in model.symbols():
        rows[symbol.id] = [symbol.unit, symbol.label if symbol.label != symbol.id else ""]
    for state in model.states:
        rows[state.id] = rows[state.id], chained(state.initial), chained(state.rate)
    for parameter in model.parameters:
        rows[parameter.id] = rows[parameter.id], chained(parameter.initial or Num(parameter.value))
    for rule in model.rules:
        rows[rule.id] = rows[rule.id], chained(rule.expr)
    changes = [[(name, chained(expr)) for name, expr in event.assignments] for event in model.events]
    return rows | {"order": list(rows), "events": [(e.id, e.time) for e in model.events], "changes": changes}


@pytest.mark.parametrize("source", [*model_ids(), *SCENARIOS])
def test_antimony_reads_back_as_the_same_model(source: str) -> None:
    file = SCENARIOS.get(source, source)
    once = read_sbml(export_sbml(file), file="m.xml")  # repeated doses stand one by one there, too
    assert said(read_antimony(export_antimony(file), file="m.ant")) == said(once)


def test_antimony_keeps_every_digit_and_how_events_are_meant() -> None:
    grows = Call("gt", (Sym("x"), Num(0.1 + 0.2)))
    event = StateEvent("e", grows, (("x", Num(-1 / 3)), ("k", Call("neg", (Sym("x"),)))), initially=False)
    model = OdeModel(
        id="m",
        name='it says "x"',
        time_unit="hour",
        states=(State("x", Num(1e-300), Call("pow", (Sym("k"), Num(-0.5))), "pmol/h^2", "a level"),),
        parameters=(Parameter("k", 0.3, "particles/cell"),),
        state_events=(event,),
    )
    back = read_antimony(write_antimony(model), file="m.ant")
    assert back.states[0].initial == Num(1e-300)
    assert [(one.unit, one.label) for one in back.symbols()] == [("pmol/h^2", "a level"), ("particles/cell", "")]
    assert back.name == "it says 'x'"
    assert back.time_unit == "hour"
    assert back.state_events[0].trigger == grows
    assert not back.state_events[0].initially
    assert chained(back.state_events[0].assignments[0][1]) == Num(-1 / 3)


def test_antimony_keeps_roots_whose_exponent_it_takes_for_one_number() -> None:
    root = Call("pow", (Sym("x"), Call("div", (Num(1.0), Num(3.0)))))
    back = read_antimony(write_antimony(OdeModel(id="m", states=(State("x", Num(2.0), root),))), file="m.ant")
    assert back.states[0].rate == Call("pow", (Sym("x"), Num(1 / 3)))


def test_what_antimony_cannot_say_is_refused() -> None:
    held = State("x", Num(1.0), Call("sub", (Sym("x"), TIME)), algebraic=True)
    with pytest.raises(InputError, match="Antimony has no word for constraints, and one determines 'x'"):
        write_antimony(OdeModel(id="m", states=(held,)))
    with pytest.raises(InputError, match="Antimony"):
        write_antimony(OdeModel(id="m", states=(State("model", Num(1.0), Num(0.0)),)))


@pytest.fixture(scope="module")
def archive() -> ZipFile:
    return ZipFile(io.BytesIO(export_omex(SCENARIOS["ovx_m2"])))


def test_an_archive_lists_its_files_and_carries_the_scenario(archive: ZipFile, tmp_path: Path) -> None:
    manifest = ElementTree.fromstring(archive.read("manifest.xml"))
    listed = {row.get("location", "").removeprefix("./"): row.get("format", "") for row in manifest}
    assert set(listed) == {".", *archive.namelist()}
    carried = load_scenario(Path(archive.extract("scenario.yaml", tmp_path)))
    assert export_sbml(carried) == export_sbml(SCENARIOS["ovx_m2"])
    assert archive.read("model.xml").decode() == export_sbml(SCENARIOS["ovx_m2"])
    assert export_omex(SCENARIOS["ovx_m2"]) == export_omex(SCENARIOS["ovx_m2"])


def test_the_simulation_of_an_archive_is_valid_and_names_what_the_model_has(archive: ZipFile) -> None:
    text = archive.read("simulation.sedml").decode()
    done = subprocess.run([sys.executable, "-c", CHECK], input=text, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "168.0", "168"]
    targets = re.findall(r"parameter\[@id='(\w+)'\]", text)
    assert "bone__bone_volume_fraction" in targets
    assert set(targets) <= set(flat_model(SCENARIOS["ovx_m2"]).by_id)
    described = {element.get("id") for element in ElementTree.fromstring(text).iter(f"{SEDML}dataGenerator")}
    assert {curve.get("yDataReference") for curve in ElementTree.fromstring(text).iter(f"{SEDML}curve")} < described


def test_a_model_alone_is_solved_as_long_as_its_card_says() -> None:
    text = ZipFile(io.BytesIO(export_omex("komarova2003"))).read("simulation.sedml").decode()
    assert 'outputEndTime="600"' in text


def test_a_user_gets_the_same_answer_from_each_format(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for form, name in (("sbml", "m.xml"), ("antimony", "m.ant")):
        assert main(["export", "ovx_m2.yaml", "--to", form, "-o", str(tmp_path / name)]) == 0
    courses = [
        simulate(tmp_path / name, np.linspace(0, 168, 13), ["bone__bone_volume_fraction"], rtol=1e-9)
        for name in ("m.xml", "m.ant")
    ]
    first, second = (course["bone__bone_volume_fraction"].values for course in courses)
    assert second == pytest.approx(first, rel=1e-9)
    assert main(["export", "ovx_m2.yaml", "--to", "omex"]) == 2
    assert "-o: an archive is no text" in capsys.readouterr().err
