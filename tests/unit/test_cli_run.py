"""`bonesim run` and `bonesim check`, as a user sees them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import bonesim
from bonesim.cli.main import main
from bonesim.resources import data_root

ROOT = Path(__file__).parents[2]
SCENARIO = data_root() / "scenarios" / "ovx_m2.yaml"
SHORT = ["--set", "duration=10 week", "--set", "doses[0].count=2", "--set", "record.every=1 week"]
NOTE = f"note: ovx_m2.yaml is not here; using {SCENARIO}, which comes with bonesim\n"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)


def test_run_prints_a_table_and_facts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(SCENARIO), *SHORT]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert err == ""
    assert lines[0] == "M2 macrophage vesicles, weekly, after ovariectomy"
    assert lines[2].split() == ["output", "start", "end", "change", "vehicle", "vs", "vehicle", "at", "most"]
    assert [line.split("  ")[0] for line in lines[3:8]] == [
        "bone_volume_fraction",
        "OBa (pM)",
        "OCa (pM)",
        "CTX",
        "P1NP",
    ]
    facts = {line[:9].strip(): line[10:] for line in lines[9:] if line[:9].strip()}
    assert list(facts) == ["ledger", "flux", "copies", "numbers", "left out", "time"]
    assert facts["ledger"] == "macrophage_m2, intravenous: 200 ug scheduled, 200 ug delivered (arm dosed)"
    assert facts["flux"].endswith(" % of all vesicles from the first dose on, the body's own included")
    most, _, verdict = facts["copies"].partition("; ")
    assert re.fullmatch(r"at most 0\.00\d+ of miR-690 in a cell \(BMSC\)", most)
    assert verdict == "below 1 copy a cell: stoichiometry does not support the effect"
    assert facts["numbers"].endswith(" measured; origin of each under --json")
    assert not any(line.endswith(" ") for line in lines)
    assert list(Path().iterdir()) == []


def test_run_writes_what_it_prints_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(SCENARIO), *SHORT, "-o", "out/deep", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    folder = Path("out/deep")
    assert sorted(path.name for path in folder.iterdir()) == ["result.nc", "summary.json", "trajectories.csv"]
    assert found == json.loads((folder / "summary.json").read_text())
    assert set(found) == {"outputs", "copies_per_cell", "copies_not_known", "status", "ledger", "timing", "provenance"}
    assert set(found["timing"]) == {"read", "solve"}
    sizes = bonesim.read_run(folder).sizes
    assert (sizes["arm"], sizes["time"]) == (2, 11)


def test_run_draws_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(SCENARIO), *SHORT, "-o", "out", "--plot"]) == 0
    figures = sorted(path.name for path in Path("out").glob("*.png"))
    assert figures
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("files     out: result.nc, summary.json, trajectories.csv, ")
    assert all(name in last for name in figures)


def test_figures_of_an_earlier_run_do_not_stay_beside_the_new_result() -> None:
    assert main(["run", str(SCENARIO), *SHORT, "-o", "out", "--plot"]) == 0
    Path("out/mine.png").write_bytes(b"mine")
    assert main(["run", str(SCENARIO), *SHORT, "-o", "out"]) == 0
    left = ["mine.png", "result.nc", "summary.json", "trajectories.csv"]
    assert sorted(path.name for path in Path("out").iterdir()) == left


def test_a_narrow_terminal_gets_lists(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert main(["run", str(SCENARIO), *SHORT]) == 0
    lines = capsys.readouterr().out.splitlines()
    first = [line.split()[0] for line in lines[2:8]]
    assert first == ["bone_volume_fraction", "start", "end", "change", "vehicle", "vs"]
    assert max(map(len, lines)) <= 60


def test_no_colour_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(SCENARIO)]) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_an_arm_that_fails_ends_with_3(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(SCENARIO), *SHORT, "--set", "solver.max_steps=20", "-o", "out", "--json"]) == 3
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert found["status"]["dosed"]["status"] == "too_many_steps"
    assert found["outputs"]["OBa"]["arms"]["dosed"]["final"] is None
    assert [line.partition(": stopped at t = ")[0] for line in err.splitlines()] == ["arm dosed", "arm vehicle"]
    assert (Path("out") / "result.nc").is_file()


def test_a_failed_arm_has_no_ledger(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(SCENARIO), *SHORT, "--set", "solver.max_steps=20"]) == 3
    assert "\nledger    not balanced, an arm stopped early\n" in capsys.readouterr().out


def test_nothing_is_written_when_the_input_is_bad(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(SCENARIO), "-o", "out", "--set", "doses[0].amout=3 ug", "--json"]) == 2
    assert capsys.readouterr() == ("", "--set doses[0].amout: unknown key\n  try: did you mean 'amount'?\n")
    assert not Path("out").exists()


def test_a_file_in_the_place_of_the_folder_is_told_first(capsys: pytest.CaptureFixture[str]) -> None:
    Path("out").write_text("mine")
    assert main(["run", "no_such.yaml", "-o", "out/run"]) == 2
    problem = f"'{Path('out').absolute()}' is a file, not a folder"
    assert capsys.readouterr().err == f"-o out/run: {problem}\n  try: another output folder\n"


@pytest.mark.parametrize("folder", ["/proc/self/fdinfo", "/proc/self/none/run", "n" * 300])
@pytest.mark.skipif(not Path("/proc/self/fdinfo").is_dir(), reason="no folder that nobody can write to")
def test_a_folder_that_cannot_be_made_is_told_first(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    existing = {"/proc/self/fdinfo": folder, "/proc/self/none/run": "/proc/self"}.get(folder, str(Path().absolute()))
    assert main(["run", "no_such.yaml", "-o", folder]) == 2
    problem, _, remedy = capsys.readouterr().err.rpartition("\n  try: ")
    assert problem.startswith(f"-o {folder}: '{existing}' cannot be written to: ")
    assert remedy == "another output folder\n"
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("name", ["ovx_m2.yaml", "scenarios/ovx_m2.yaml", "ovx_m2", "./ovx_m2.yaml"])
def test_a_scenario_that_comes_with_bonesim_is_found(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", name]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"ok: {SCENARIO}\n")
    assert err == NOTE.replace("ovx_m2.yaml is", f"{name} is")


@pytest.mark.parametrize("name", ["elsewhere/ovx_m2.yaml", "/ovx_m2.yaml", "m2.yaml"])
def test_only_the_end_of_its_path_names_it(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", name]) == 2
    assert capsys.readouterr().err.startswith(f"{name}: there is no such file\n  try: ")


def test_a_file_of_the_user_comes_first(capsys: pytest.CaptureFixture[str]) -> None:
    Path("ovx_m2.yaml").write_text(SCENARIO.read_text().replace("weekly", "mine"))
    assert main(["check", "ovx_m2.yaml"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("ok: ovx_m2.yaml\n  title     M2 macrophage vesicles, mine, after ovariectomy\n")
    assert err == ""


def test_check_says_what_a_scenario_means(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "ovx_m2.yaml"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:9] == [
        f"ok: {SCENARIO}",
        "  title     M2 macrophage vesicles, weekly, after ovariectomy",
        "  subject   rat, female, 12 week, 250 g",
        "            sex and age are held against species and contexts, and change no number in this version",
        lines[4],
        "  context   ovx_osteoporosis from 0 week",
        "  doses[0]  macrophage_m2, intravenous: 8 x 100 ug (2e+11 particles each), day 28 to 77",
        "  duration  24 week, recorded 169 times",
        "  outputs   bone_volume_fraction, OBa (pM), OCa (pM), CTX, P1NP",
    ]
    assert lines[4].startswith("  model     core pivonka2008, ")
    assert "    m2_loc103691165_osteogenesis            acts in context fracture only" in lines


def test_check_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "ovx_m2.yaml", "--json", "--set", "doses[0].amount=1e10 particles/kg"]) == 0
    meaning = json.loads(capsys.readouterr().out)
    assert meaning["ok"] is True
    assert meaning["doses"] == [
        {
            "source": "macrophage_m2",
            "route": "intravenous",
            "carrier": None,
            "amount": "1e10 particles/kg",
            "particles": pytest.approx(2.5e9, rel=1e-12),
            "count": 8,
            "first_day": 28.0,
            "last_day": 77.0,
            "over": None,
        }
    ]
    edges = {edge.id for edge in bonesim.catalog().sources["macrophage_m2"].edges}
    mentioned = {*meaning["edges"]["acting"], *meaning["edges"]["left_out"]}
    assert edges <= mentioned
    assert not set(meaning["edges"]["acting"]) & set(meaning["edges"]["left_out"])


def test_check_tells_every_fault(capsys: pytest.CaptureFixture[str]) -> None:
    file = ROOT / "tests" / "data" / "scenario_misspelt_key.yaml"
    assert main(["check", str(file), "--json"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"{file}:8: doses[0].amout: unknown key\n  try: did you mean 'amount'?\n"


ARMS = ["--set", "arms={shells: {vesicles: empty}, low: {'doses[0].amount': 3 ug}}"]
DRAWS = ["--set", "uncertainty.members=8"]


def test_run_with_arms_and_draws(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(SCENARIO), *SHORT, *ARMS, *DRAWS, "-o", "out", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    arms = found["outputs"]["OBa"]["arms"]
    assert list(arms) == ["dosed", "vehicle", "shells", "low"]
    assert set(arms["low"]["quantiles"]) == {"5", "50", "95"}
    assert arms["shells"]["sign_agreement"] is None
    assert [(line["arm"], line["scheduled"]) for line in found["ledger"]] == [
        ("dosed", 200.0),
        ("vehicle", 0.0),
        ("shells", 200.0),
        ("low", 6.0),
    ]
    assert found["status"]["low"]["members_failed"] == 0
    assert found["provenance"]["uncertainty"]["members"] == 8
    assert set(found["provenance"]["arms"]) == {"shells", "low"}
    sizes = bonesim.read_run(Path("out")).sizes
    assert (sizes["arm"], sizes["member"], sizes["time"]) == (4, 8, 11)


def test_draws_are_printed_as_a_second_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(SCENARIO), *SHORT, *DRAWS]) == 0
    lines = capsys.readouterr().out.splitlines()
    head = next(number for number, line in enumerate(lines) if line.startswith("8 draws of "))
    assert lines[head].endswith(" numbers from their ranges: 5 / 50 / 95 % of them, and how many have the sign above")
    assert lines[head + 1].split("  ")[0] == "output"
    row = lines[head + 2].split()
    assert row[0] == "bone_volume_fraction"
    assert row.count("/") == 4
    assert row[-1] == "%"


def test_draws_that_fail_end_with_3(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(SCENARIO), *SHORT, *DRAWS, "--set", "solver.max_steps=20"]) == 3
    assert "arm dosed: 8 of the draws stopped early\n" in capsys.readouterr().err


def test_own_measurements_are_held_against_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.csv").write_text("time_week,OBa,OBa_sd\n6,0.001,0.0001\n")
    assert main(["run", str(SCENARIO), *SHORT, "--data", "mine.csv", "-o", "out", "--plot"]) == 0
    out = capsys.readouterr().out
    (point,) = json.loads(Path("out/summary.json").read_text())["data"]
    assert (point["output"], point["arm"], point["time_day"], point["sd"]) == ("OBa", "dosed", 42.0, 1e-4)
    assert point["residual"] == pytest.approx(0.001 - point["computed"])
    assert point["z"] == pytest.approx(point["residual"] / 1e-4)
    assert Path("out/data.png").is_file()
    row = next(line for line in out.splitlines() if line.startswith("OBa ") and " dosed " in line)
    assert row.split()[:4] == ["OBa", "dosed", "42", "0.001"]


def test_a_fault_in_the_measurements_is_told_before_anything_is_solved(capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.csv").write_text("time_week,OBs\n6,0.001\n")
    assert main(["run", str(SCENARIO), "--data", "mine.csv", "-o", "out"]) == 2
    assert capsys.readouterr().err == "mine.csv:1: OBs: 'OBs' is no output of this run\n  try: did you mean 'OBa'?\n"
    assert not Path("out").exists()


def test_check_tells_arms_and_draws(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(SCENARIO), *ARMS, *DRAWS]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.endswith(" states in all, arms dosed, vehicle, shells and low") for line in lines)
    assert any(line.startswith("  draws     8, seed 1, of ") for line in lines)


def test_check_refuses_an_arm_that_run_would_refuse(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(SCENARIO), "--set", "arms={a: {without: [miR-691]}}"]) == 2
    message = "--set arms.a.without[0]: no edge, cargo or module 'miR-691' acts in this arm\n"
    assert capsys.readouterr().err.startswith(message)
