"""`bonesim sweep`, as a user sees it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

import bonesim
from bonesim.cli.main import main
from bonesim.errors import InputError, InternalError
from bonesim.resources import data_root
from bonesim.sweep.chunk import Solver
from bonesim.sweep.forecast import in_words

SCENARIO = str(data_root() / "scenarios" / "ovx_m2.yaml")
SHORT = ["--set", "duration=6 week", "--set", "doses[0].count=1", "--set", "record.every=1 week"]
AMOUNTS = [*SHORT, "--set", 'sweep={vary: {"doses[0].amount": [10 ug, 100 ug, 1000 ug]}}']
HILL = [*SHORT, "--set", "sweep={vary: {hill: [-0.5, 1]}}"]
BEYOND = (
    "note: hill takes -0.5 to 1, beyond the range stated for it, 1 to 2 "
    "(assumed: No dose-response curve of a vesicle preparation on bone cells was found; 1 adds no threshold.)\n"
)


def forecast(members: int, done: int = 0, chunks: int = 1) -> str:
    """What is said before the last `chunks` of SHORT are run, after the `done` members."""
    # Of each output 7 times in 4 bytes and 5 summaries, of each arm 17 bytes, of each member 8; then files and folders:
    # 33 arrays with their chunks, and where they are new themselves and 4 coordinates.
    places = 33 * chunks + (0 if done else 33 + 4)
    store = (members - done) * (2 * (5 * (7 * 4 + 5 * 8) + 17) + 8) + 4096 * 3 * places
    size = f"{members} members x 2 arms = {2 * members} variants; {f'{done} members done; ' * bool(done)}"
    return f"note: {size}5 outputs at 7 times; up to {in_words(store)} on disk, about 250 MB of memory\n"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)


def test_sweep_prints_quantiles_and_the_extreme_members(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", SCENARIO, *AMOUNTS, "-o", "out.zarr"]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert err == forecast(3)
    assert lines[0] == "M2 macrophage vesicles, weekly, after ovariectomy"
    assert lines[2] == "difference to vehicle: quantiles over the members"
    assert lines[3].split("  ")[0] == "output"
    assert [line.split("  ")[0] for line in lines[4:7]] == ["bone_volume_fraction", "OBa (pM)", "OCa (pM)"]
    assert lines[9] == ""
    facts = [(line[:9].strip(), line[9:]) for line in lines[10:]]
    assert facts[0] == ("members", "3, grid")
    assert facts[1] == ("varied", "doses[0].amount: 3 values, 10 to 1000 ug, by ratio")
    assert [name for name, _ in facts[2:]] == ["highest", "lowest", "highest", "lowest", "time", "store"]
    assert facts[2][1].endswith(" % at the end: member 2 (doses[0].amount 1000 ug)")
    assert facts[3][1].endswith(" % at the end: member 0 (doses[0].amount 10 ug)")
    assert facts[-1] == ("store", "out.zarr")
    assert not any(line.endswith(" ") for line in lines)
    assert [path.name for path in Path().iterdir()] == ["out.zarr"]


def test_sweep_says_the_same_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", SCENARIO, *AMOUNTS, "-o", "out.zarr", "--json", "--float64", "--threads", "1"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {
        *("title", "state", "design", "members", "status", "failed", "outputs", "extremes", "timing"),
    }
    assert (found["state"], found["members"], found["status"], found["failed"]) == ("complete", 3, {"ok": 3}, [])
    study = bonesim.read_study("out.zarr")
    assert study["OBa"].dtype == "float64"
    middle = study["OBa_final"].sel(arm="dosed").values[1]
    assert found["outputs"]["OBa"]["final"]["50"] == pytest.approx(float(middle))


def test_one_member_is_told_as_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", SCENARIO, *SHORT, "--set", "sweep={vary: {hill: [1.5]}}", "-o", "out.zarr"]) == 0
    out, err = capsys.readouterr()
    assert "\nmembers  1, grid\nvaried   hill: 1.5\n" in out
    assert err.startswith("note: 1 member x 2 arms = 2 variants; 5 outputs at 7 times; ")


def test_failed_members_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", SCENARIO, *HILL, "-o", "out.zarr"]) == 3
    out, err = capsys.readouterr()
    assert "\nfailed   1 of 2\n" in out
    assert err.startswith(f"{forecast(2)}{BEYOND}member 0 (hill -0.5), arm dosed: stopped at t = ")


def test_check_says_of_a_stated_range_what_sweep_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", SCENARIO, *HILL]) == 0
    assert capsys.readouterr().err == BEYOND
    assert main(["check", SCENARIO, *HILL, "--json"]) == 0
    out, err = capsys.readouterr()
    assert (json.loads(out)["sweep"]["notices"], err) == ([BEYOND[6:-1]], BEYOND)


def test_many_failed_members_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    many = "sweep={vary: {hill: {low: -0.9, high: -0.5, count: 23}}}"
    assert main(["sweep", SCENARIO, *SHORT, "--set", many, "-o", "out.zarr", "--plot"]) == 3
    out, err = capsys.readouterr()
    assert len(err.splitlines()) == 2 + 21
    assert err.splitlines()[-1] == "and 3 more; all are in the store"
    assert "figure" not in out


def test_figures_lie_beside_the_store() -> None:
    assert main(["sweep", SCENARIO, *AMOUNTS, "-o", "deep/out.zarr", "--plot"]) == 0
    assert sorted(path.name for path in Path("deep").iterdir()) == ["out.zarr", "out_fan.png", "out_surface.png"]


def ends_in_the_second_chunk(patch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Let chunks have two members, and the second of them end with an error."""
    solve_chunk = Solver.__call__

    def ending(self: Solver, chunk: slice) -> object:
        if chunk.start:
            raise error
        return solve_chunk(self, chunk)

    patch.setattr(sys.modules["bonesim.sweep.plan"], "FEWEST", 2)
    patch.setattr(Solver, "__call__", ending)


STOPPED = "note: stopped; out.zarr is incomplete, 2 of 3 members done; the same command with --resume goes on with it\n"


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (KeyboardInterrupt(), 130, ""),
        (ZeroDivisionError("division by zero"), 1, "bonesim: internal fault: ZeroDivisionError: division by zero ("),
        (InternalError("dose ledger"), 1, "bonesim: internal fault: dose ledger ("),
        (InputError("the store cannot be written"), 2, "the store cannot be written"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_a_sweep_that_ends_early_says_how_to_go_on(
    error: BaseException, code: int, told: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        ends_in_the_second_chunk(patch, error)
        assert main(["sweep", SCENARIO, *AMOUNTS, "-o", "out.zarr"]) == code
        assert capsys.readouterr().err.startswith(f"{forecast(3, chunks=2)}{STOPPED}{told}")
        # Whatever stopped it will do so again; nothing that was done is lost.
        assert main(["sweep", SCENARIO, *AMOUNTS, "-o", "out.zarr", "--resume"]) == code
        assert capsys.readouterr().err.startswith(f"{forecast(3, done=2)}{STOPPED}{told}")
    assert main(["sweep", SCENARIO, *AMOUNTS, "-o", "out.zarr"]) == 2
    assert capsys.readouterr().err == (
        "out.zarr: there is a sweep already, 2 of 3 members done\n"
        "  try: --resume to go on with it; or another place, or remove it yourself\n"
    )
    monkeypatch.setattr(sys.modules["bonesim.sweep.plan"], "FEWEST", 2)
    assert main(["sweep", SCENARIO, *AMOUNTS, "-o", "out.zarr", "--resume"]) == 0
    assert capsys.readouterr().err == forecast(3, done=2)
    study = bonesim.read_study("out.zarr")
    assert (study.attrs["state"], study["status"].values.tolist()) == ("complete", [[0, 0]] * 3)


REFUSED = {
    "no sweep": ([*SHORT], f"{SCENARIO}:1: sweep: the scenario has no section 'sweep'\n  try: sweep: "),
    "dask": (
        [*AMOUNTS, "--executor", "dask"],
        "executor: the executor 'dask' comes with a later version\n  try: local",
    ),
    "scheduler": (
        [*AMOUNTS, "--scheduler", "tcp://here:8786"],
        "--scheduler: a scheduler belongs to the executor 'dask', which comes with a later version\n"
        "  try: leave it out",
    ),
    "path": (
        [*SHORT, "--set", 'sweep={vary: {"doses[0].amout": [10 ug]}}'],
        "--set sweep.vary.\"doses[0].amout\": 'doses[0].amout' is no quantity of this scenario that a sweep can vary\n"
        "  try: did you mean 'doses[0].amount'?",
    ),
    "threads": ([*AMOUNTS, "--threads", "0"], "--threads: "),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_leaves_nothing(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, said = REFUSED[name]
    assert main(["sweep", SCENARIO, *arguments, "-o", "out.zarr"]) == 2
    assert capsys.readouterr().err.startswith(said)
    assert list(Path().iterdir()) == []


def test_what_is_there_stays(capsys: pytest.CaptureFixture[str]) -> None:
    Path("out.zarr").write_text("mine")
    assert main(["sweep", SCENARIO, *AMOUNTS, "-o", "out.zarr"]) == 2
    assert "a file, not a folder" in capsys.readouterr().err
    assert Path("out.zarr").read_text() == "mine"


def test_one_path_of_a_sweep_can_be_set() -> None:
    path = str(data_root() / "scenarios" / "ovx_m2_dose_response.yaml")
    vary = ["--set", 'sweep.vary."doses[0].amount"=[10 ug, 20 ug]', "--set", 'sweep.vary."doses[0].every"=[1 week]']
    assert main(["sweep", path, *vary, "-o", "out.zarr"]) == 0
    assert bonesim.read_study("out.zarr")["doses[0].amount"].values.tolist() == [10.0, 20.0]


def test_run_says_that_it_leaves_the_sweep_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", SCENARIO, *AMOUNTS]) == 0
    said = "note: this runs the scenario as it stands; its section 'sweep' is for `bonesim sweep`\n"
    assert capsys.readouterr().err == said


def test_the_section_that_help_shows_is_a_sweep(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    first = lines.index("    sweep:")
    section = "\n".join(line.removeprefix("    ") for line in lines[first : lines.index("", first)])
    Path("shown.yaml").write_text(f"{Path(SCENARIO).read_text()}{section}\n")
    assert main(["check", "shown.yaml"]) == 0
    assert "\n  sweep     grid, 10 members over doses[0].amount, hill\n" in capsys.readouterr().out


def test_check_says_how_many_members_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", SCENARIO, *AMOUNTS]) == 0
    assert "\n  sweep     grid, 3 members over doses[0].amount\n" in capsys.readouterr().out
    assert main(["check", SCENARIO, *SHORT, "--set", "sweep={vary: {hil: [1, 2]}}"]) == 2
    assert "did you mean 'hill'?" in capsys.readouterr().err


def test_draws_and_arms_are_refused_together_and_the_remedies_work(capsys: pytest.CaptureFixture[str]) -> None:
    text = Path(SCENARIO).read_text()
    Path("both.yaml").write_text(f"{text}uncertainty: {{members: 5}}\narms: {{ko: {{without: [miR-690]}}}}\n")
    assert main(["sweep", "both.yaml", *AMOUNTS, "-o", "out.zarr"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[1] for line in lines[::2]] == ["uncertainty", "arms"]
    flags = [line.removeprefix("  try: ").split(";")[0].split(" ") for line in lines[1::2]]
    assert main(["sweep", "both.yaml", *AMOUNTS, *flags[0], *flags[1], "-o", "out.zarr"]) == 0
    assert bonesim.read_study("out.zarr").sizes["arm"] == 2
