"""How the command line ends: exit codes and whole messages."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import bonesim
from bonesim.cli.main import COMMANDS, main
from bonesim.resources import data_root

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"

RUN = "bonesim run ovx_m2.yaml --set 'doses[0].amount=30 ug' -o out --plot"
SIMULATE = "bonesim simulate lemaire2004 --until 140 --points 141 --select OBa,OCa --csv cells.csv"
EXPORT = "bonesim export ovx_m2.yaml --to sbml -o ovx_m2.xml"

SCENARIO = data_root() / "scenarios" / "ovx_m2.yaml"
NOTE = f"note: ovx_m2.yaml is not here; using {SCENARIO}, which comes with bonesim\n"

FAULTS = {
    "rnu": "bonesim: unknown command 'rnu'\n  try: did you mean 'run'?\n",
    "--versoin": "--versoin: unknown option of 'bonesim'\n  try: did you mean '--version'?\n",
    "run": f"bonesim run: SCENARIO is missing\n  try: {RUN}\n",
    "run --outptu x": "--outptu: unknown option of 'bonesim run'\n  try: did you mean '--output'?\n",
    "run -x": "-x: unknown option of 'bonesim run'\n"
    "  try: one of --output, --set, --plot, --data, --accuracy, --json, --help\n",
    "run a.yaml b.yaml": f"bonesim run: got unexpected extra argument (b.yaml)\n  try: {RUN}\n",
    "run ovx_m2.yaml --set": f"--set: requires an argument\n  try: {RUN}\n",
    "run ovx_m2.yaml --json=1": f"--json: does not take a value\n  try: {RUN}\n",
    "run ovx_m2.yaml --plot": "--plot: figures need a folder\n  try: -o DIR\n",
    "run ovx_m3.yaml": "ovx_m3.yaml: there is no such file\n  try: did you mean 'ovx_m2.yaml'?\n",
    "run study.yaml": "study.yaml: there is no such file\n"
    "  try: check the path; bonesim comes with defect_epc_local.yaml, defect_ucmsc_hydrogel.yaml, "
    "fracture_m2_hydrogel.yaml, fracture_tbi.yaml, fracture_untreated.yaml, ovx_endothelial_bmsc.yaml, ovx_m1.yaml, "
    "ovx_m2.yaml, ovx_m2_dose_response.yaml, ovx_untreated.yaml\n",
    "simulate lemaire2004": f"bonesim simulate: --until is missing\n  try: {SIMULATE}\n",
    "simulate lemaire2004 --until 9 --points x": f"--points: 'x' is no whole number\n  try: {SIMULATE}\n",
    "simulate lemaire2004 --until 9 --points 1": "--points: 1 is out of range\n"
    "  try: a whole number from 2 to 10000000\n",
    "simulate lemaire2004 --until -9": "--until: '-9' is no time after 0\n  try: --until 140\n",
    "simulate lemaire2004 --until 9kg": "--until: 'kg' does not convert to 'day': a mass is not a time\n"
    "  try: a number of day\n",
    "simulate lemaire2004 --until 9 --select OBA,RANKLX": "--select: the model has no quantity 'OBA'\n"
    "  try: did you mean 'OBa'?\n",
    "simulate lemaire2004 --until 9 --set I_P": "--set I_P: no value\n  try: --set I_P=VALUE\n",
    "simulate lemaire2004 --until 9 --set I_P=a": "--set I_P: 'a' is not a finite number\n"
    "  try: a number in the model's unit, pM/day\n",
    "simulate lemaire2004 --until 9 --set OPG=1": "--set OPG: it is computed from other quantities, so it cannot be "
    "set\n  try: set what it is computed from\n",
    "simulate lemaire2004 --until 9 --set I_P=1 --set I_P=2": "--set I_P: set twice\n  try: set it once\n",
    "simulate lemaire2004 --until 9 --set OBa=nan": "--set OBa: 'nan' is not a finite number\n"
    "  try: a number in the model's unit, pM\n",
    "simulate lemaire2004 --until 9 --rtol nan": "--rtol: rtol nan is out of range\n"
    "  try: a value between 1e-13 and 0.1, e.g. 1e-6\n",
    "simulate lemaire2004 --until 9 --select OBa,OBa": "--select: 'OBa' is named twice\n  try: name it once\n",
    "simulate lemaire2004 --until 9 --select ,": "--select: no name\n  try: --select OCa,OBp\n",
    "simulate lemaire2004 --steady --hold ,": "--hold: no name\n  try: --hold OCa,OBp\n",
    "simulate lemaire2004 --steady --hold OBq": "--hold: the model has no quantity 'OBq'\n  try: did you mean 'OBp'?\n",
    "simulate lemaire2004 --until 9 --hold OBa": "--hold: states are held while a model comes to rest, so this would "
    "change nothing\n  try: leave it out, or add --equilibrate or --steady\n",
    "simulate lemaire2004 --until 9 --set =1": "--set =1: no name\n  try: --set NAME=VALUE\n",
    "simulate lemaire2004 --until 9 --rtol x": f"--rtol: 'x' is no number\n  try: {SIMULATE}\n",
    "simulate lemaire --until 9": "model: the library has no model 'lemaire'\n  try: did you mean 'lemaire2004'?\n",
    "check ovx_m2.yaml --set outputs=[]": f"{NOTE}--set outputs: expected at least 1 entry\n  try: add to the list\n",
    "check ovx_m2.yaml --set title=[]": f"{NOTE}--set title: expected text, got a list\n  try: a text, e.g. 'abc'\n",
    "check ovx_m2.yaml --set subject.sex=male": f"{NOTE}{SCENARIO}:5: context[0].id: 'ovx_osteoporosis' is known for "
    "female subjects, and this one is male\n  try: sex: female under subject, or another context\n",
    "simulate none.xml --until 9": "none.xml: there is no such file\n  try: check the path\n",
    "export ovx_m2.yaml": f"bonesim export: --to is missing\n  try: {EXPORT}\n",
    "export ovx_m2.yaml --to omx": "--to: 'omx' is not one of 'sbml', 'antimony', 'omex'\n"
    "  try: one of sbml, antimony, omex\n",
    "export ovx_m2.yaml --to omex": "-o: an archive is no text\n  try: -o FILE.omex\n",
    "export lemaire204 --to sbml": "model: the library has no model 'lemaire204'\n  try: did you mean 'lemaire2004'?\n",
    "sources macrophage_m3": "source: unknown source 'macrophage_m3'\n  try: did you mean 'macrophage_m2'?\n",
    "contexts ovx": "context: unknown context 'ovx'\n  try: did you mean 'ovx_osteoporosis'?\n",
    "profile macrophage_m2 --members 1": "--members: 1 is not in the range 2<=x<=10000\n"
    "  try: a whole number from 2 to 10000\n",
    "models lemaire": "model: unknown model 'lemaire'\n  try: did you mean 'lemaire2004'?\n",
    "models mine.ant": "mine.ant: this is a file; what is shown here are the models of the library\n"
    "  try: bonesim simulate mine.ant --until T --points N\n",
    "models mine.yaml": "mine.yaml: this is a scenario, not a model\n  try: bonesim run mine.yaml\n",
    "models --code numpy": "--code: code is printed of one model, as text\n  try: bonesim models ID --code numpy\n",
}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("arguments", FAULTS)
def test_bad_input_is_told_whole(arguments: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments.split()) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == FAULTS[arguments]


@pytest.mark.parametrize("arguments", FAULTS)
def test_bad_input_has_place_and_remedy(arguments: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(arguments.split())
    told = capsys.readouterr().err.removeprefix(NOTE)
    assert re.fullmatch(r"(\S.*: .+\n  try: .+\n)+", told)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_each_command_has_help_with_an_example(command: str, flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, flag]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"Usage: bonesim {command} [OPTIONS]")
    assert f"\n  Example:\n    bonesim {command}" in text


@pytest.mark.parametrize("arguments", [[], ["-h"], ["--help"]])
def test_help_names_every_command(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0
    text = capsys.readouterr().out
    assert all(f"\n  {command} " in text for command in COMMANDS)
    assert "..." not in text.partition("Commands:")[2]


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"bonesim {bonesim.__version__}\n"


def test_a_fault_of_ours_is_told_as_such(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _break_schema(monkeypatch)
    assert main(["schema"]) == 1
    head, *rest = capsys.readouterr().err.splitlines()
    assert head.startswith("bonesim: internal fault: RuntimeError: boom (test_cli_errors.py:")
    assert rest == [
        "  This is a fault of bonesim, not of your input. Please report it with the command, its files and the",
        "  output of `bonesim doctor`; with BONESIM_DEBUG=1 in the environment the whole traceback is shown.",
    ]


def test_the_traceback_is_shown_when_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _break_schema(monkeypatch)
    monkeypatch.setenv("BONESIM_DEBUG", "1")
    assert main(["schema"]) == 1
    assert capsys.readouterr().err.startswith("Traceback (most recent call last):")


def test_a_user_who_stops_it_is_not_told_more(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _break_schema(monkeypatch, KeyboardInterrupt())
    assert main(["schema"]) == 130
    assert capsys.readouterr() == ("", "")


def test_a_reader_who_has_seen_enough() -> None:
    command = f"{sys.executable} -m bonesim schema | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("{\n0\n", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_behind_standard_output() -> None:
    command = f"{sys.executable} -m bonesim schema > /dev/full"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "standard output: cannot be written: No space left on device\n  try: another place\n"


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_ctrl_c() -> None:
    code = (
        "import os, signal\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a job in the background inherits `ignore`
        "import bonesim.scenario.schema as schema\n"
        "from bonesim.cli.main import main\n"
        "schema.scenario_json_schema = lambda: os.kill(os.getpid(), signal.SIGINT)\n"
        "raise SystemExit(main(['schema']))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (130, "")


def test_json_has_only_ascii_where_the_terminal_has() -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-m", "bonesim", "schema"], cwd=ROOT, capture_output=True, env=environment, check=True
    )
    assert json.loads(done.stdout.decode("ascii"))["title"] == "bonesim scenario"


def _break_schema(monkeypatch: pytest.MonkeyPatch, error: BaseException | None = None) -> None:
    def broken() -> None:
        raise error or RuntimeError("boom")

    monkeypatch.setattr("bonesim.scenario.schema.scenario_json_schema", broken)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["run", "cells.xml"],
            "cells.xml: this is a model, not a scenario\n  try: bonesim simulate cells.xml --until T --points N\n",
        ),
        (
            ["simulate", "ovx_m2.yaml", "--until", "3", "--points", "3"],
            "ovx_m2.yaml: this is a scenario, not a model\n  try: bonesim run ovx_m2.yaml\n",
        ),
    ],
)
def test_the_other_kind_of_file_is_sent_to_its_command(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err == message
