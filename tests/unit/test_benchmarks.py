"""The harness of the benchmarks: what it calls an error and a rate, and that engines are handed the same problem."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from equations import model

from bonesim.codegen.program import arrange
from bonesim.model.expr import Call, Num, Sym
from bonesim.model.ode import TimedEvent
from bonesim.solve.methods.rosenbrock import RODAS5P

sys.path.append(str(Path(__file__).parents[2]))  # behind everything: the installed package stays the one that is tested

from benchmarks import ladder, throughput
from benchmarks.accuracy import error, errors, rate_at
from benchmarks.peers import ENGINES, OURS, OURS_NUMPY, REFEREE
from benchmarks.problems import Problem, load_problems
from benchmarks.report import BEGIN, END, PAGE
from benchmarks.rows import Row, merged, read_rows, spread, write_rows
from benchmarks.segments import segments

DECAY, DOSE_AT, DOSE = 0.3, 2.05, 5.0


@pytest.fixture(scope="module")
def decay() -> Problem:
    """dy/dt = -k y from 1, and a dose between two output times: known in closed form."""
    dose = TimedEvent("dose", Num(DOSE_AT), (("y", Call("add", (Sym("y"), Num(DOSE)))),))
    equations = model({"y": (1, "-k*y")}, {"k": DECAY}, events=[dose])
    return Problem("decay", "decay", equations, end=10.0, vary=("k",))


def closed_form(problem: Problem, members: int) -> np.ndarray:
    """(member, output, time) of `decay`."""
    k, t = problem.values(members)["k"][:, np.newaxis], problem.t_out
    y = np.exp(-k * t) + np.where(t >= DOSE_AT, DOSE * np.exp(-k * (t - DOSE_AT)), 0.0)
    return y[:, np.newaxis]


def test_an_error_is_the_largest_difference_over_the_largest_value_of_its_output() -> None:
    reference = np.array([[[1.0, 4.0], [100.0, 50.0]], [[2.0, 2.0], [0.0, 0.0]]])
    y = reference + np.array([[[0.0, 0.4], [-1.0, 0.0]], [[0.0, 0.5], [0.0, 0.0]]])
    assert errors(y, reference) == pytest.approx([0.1, 0.25])
    assert error(y, reference) == pytest.approx(0.175)


def test_a_value_that_is_not_finite_is_an_infinite_error() -> None:
    reference = np.ones((2, 1, 3))
    y = reference.copy()
    y[0, 0, 2] = np.nan
    assert errors(y, reference) == pytest.approx([np.inf, 0.0])


def test_members_beyond_the_reference_are_not_compared() -> None:
    assert errors(np.full((5, 1, 2), 2.0), np.ones((3, 1, 2))) == pytest.approx([1.0] * 3)


def test_a_rate_between_two_rungs_lies_on_the_line_of_their_logarithms() -> None:
    assert rate_at(np.array([1e-3, 1e-5]), np.array([100.0, 1.0]), 1e-4) == pytest.approx(10.0)


def test_a_rung_that_is_slower_and_worse_is_not_on_the_curve() -> None:
    reached, rates = np.array([1e-2, 1e-3, 1e-4]), np.array([5.0, 8.0, 2.0])
    assert rate_at(reached, rates, 1e-3) == pytest.approx(8.0)
    assert rate_at(reached, rates, 1.0) == pytest.approx(8.0)


def test_an_error_that_no_rung_reaches_has_no_rate() -> None:
    assert np.isnan(rate_at(np.array([1e-2, 1e-3]), np.array([2.0, 1.0]), 1e-4))


def test_the_first_members_do_not_depend_on_how_many_there_are(decay: Problem) -> None:
    assert np.array_equal(decay.values(3)["k"], decay.values(50)["k"][:3])


@pytest.mark.parametrize("engine", [OURS, OURS_NUMPY, REFEREE], ids=lambda engine: engine.module)
def test_an_engine_solves_what_the_closed_form_says(decay: Problem, engine: ladder.Engine) -> None:
    y = engine.prepare(decay.task(3))(1e-9)()
    # About a hundred steps at 1e-9 each, of values below 6.
    assert errors(y, closed_form(decay, 3)).max() < 1e-7


def test_paired_engines_give_curves_a_ratio_and_whole_rows(decay: Problem) -> None:
    truth = ladder.reference(decay, 2)
    assert errors(truth, closed_form(decay, 2)).max() < 1e-10
    plan = ladder.Plan(rtols=(1e-3, 1e-6), repeats=2, compared=2, share=0.0, patience=60.0)
    bar = ladder.Bar(error=1e-3, backend="llvm", bar=1.0)
    barred = Problem("decay", "decay", decay.model, decay.end, decay.vary, (bar,))
    curves = ladder.together(barred, [OURS, REFEREE], plan, truth)
    assert [curve.note for curve in curves] == ["", ""]
    for curve in curves:
        assert curve.errors[1] < curve.errors[0]
        assert [row.error for row in curve.rows("decay") if row.part == "ladder"] == curve.errors
    (ratio,) = ladder.against(barred, curves)
    assert (ratio.repeats, ratio.bar, ratio.error) == (2, 1.0, 1e-3)
    assert ladder.agreement(barred, truth).largest < 1e-9


def test_an_engine_that_fails_stays_in_the_table(decay: Problem) -> None:
    broken = ladder.Engine("broken", "no_such_module", (), 2, 2)
    plan = ladder.Plan((1e-3,), 1, 2, 1.0, 60.0)
    (curve,) = ladder.together(decay, [broken], plan, closed_form(decay, 2))
    rows = curve.rows("decay")
    assert all(row.note.startswith("failed: ModuleNotFoundError") for row in rows)
    assert np.isnan([row.median for row in rows]).all()


def test_doses_divide_the_time_and_every_output_falls_into_one_stretch(decay: Problem) -> None:
    first, second = segments(decay.task(2))
    assert (first.start, first.end, first.fired) == (0.0, DOSE_AT, ())
    assert (second.start, second.end, second.fired) == (DOSE_AT, 10.0, (0,))
    assert (first.outputs.start, first.outputs.stop, second.outputs.stop) == (0, second.outputs.start, 101)
    assert decay.t_out[first.outputs][-1] < DOSE_AT < decay.t_out[second.outputs][0]


def test_rows_are_kept_and_give_way_to_new_ones(tmp_path: Path) -> None:
    old = [Row("bars", problem, "bonesim", "ratio", **spread([1.0, 2.0, 9.0])) for problem in ("a", "b")]
    nothing = Row("bars", "a", "bonesim", "ratio", float("nan"), float("nan"), float("nan"), 0, note="failed")
    write_rows(tmp_path / "rows.json", merged(old, [nothing]))
    kept = read_rows(tmp_path / "rows.json")
    assert [(row.problem, row.note) for row in kept] == [("b", ""), ("a", "failed")]
    assert kept[0] == old[1]
    assert np.isnan(kept[1].median)


def test_no_problem_reports_at_the_time_of_a_dose() -> None:
    problems, absent = load_problems()
    assert not absent
    for problem in problems.values():
        starts = {stretch.start for stretch in segments(problem.task(1)) if stretch.fired and stretch.start > 0}
        assert not starts & set(problem.t_out), problem.id


def test_the_page_names_every_engine_and_has_its_marks() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text.index(BEGIN) < text.index(END)
    for engine in ENGINES.values():
        assert f"| {engine.name.split(',')[0].partition(' K')[0].partition(' D')[0]} |" in text


def test_the_work_of_a_step_is_that_of_its_equations() -> None:
    program = arrange(model({"y": (1, "exp(y)/y + y*y*t")}), ["y"])
    parts = throughput.of_step(program, RODAS5P)
    exp, stages = throughput.of_function("exp"), RODAS5P.stages
    assert exp.simple > 10
    assert parts["later rates"] == throughput.Work(exp.simple + 3, exp.divisions + 1).times(stages - 1)
    assert parts["solves"] == throughput.Work(1.0).times(stages)


def test_powers_of_one_base_share_its_logarithm() -> None:
    one, two = (
        throughput.of_step(arrange(model({"y": (1, rate)}), ["y"]), RODAS5P)["later rates"]
        for rate in ("y**2.5", "y**2.5 + y**4.1")
    )
    # With a product before it, its argument compared with what is ordinary, and a sum after it.
    another_power = throughput.of_function("exp_of") + throughput.Work(3.0)
    assert two == one + another_power.times(RODAS5P.stages - 1)


def test_a_power_beside_the_next_one_is_a_product() -> None:
    program = arrange(model({"y": (1, "y**n")}, {"n": 2.5}), ["y"])
    start, rates = (throughput.of_step(program, RODAS5P)[part] for part in ("rates and Jacobian", "later rates"))
    once = throughput.Work(rates.simple / (RODAS5P.stages - 1), rates.divisions / (RODAS5P.stages - 1))
    # n - 1 times ln y, two comparisons, a choice, y^n times 1/y, and n times that; its size, compared, and a choice
    assert start == once + throughput.Work(9.0, 1.0)
