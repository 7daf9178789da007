"""`plot`: what the figures show. How they look is for the eye; here stand the values, labels and edges."""

from __future__ import annotations

import json

import matplotlib
import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from bonesim.errors import InputError
from bonesim.plot import (
    plot_bone_volume,
    plot_cells,
    plot_exposure,
    plot_healing,
    plot_measured,
    save_figures,
)
from bonesim.plot.style import BLUE, LEGEND_LINE, PALE, arm_styles, moved_apart, time_axis
from bonesim.results.dataset import OutputInfo, to_dataset, with_early_exposure
from bonesim.results.store import FIGURES

GROUP = "macrophage_m2 intravenous"
WEEKLY = [28.0 + 7 * k for k in range(8)]
DOSES = [{"label": "100 ug macrophage_m2, intravenous", "times_day": WEEKLY, "over_day": 0.0, "group": GROUP}]
FRACTION = OutputInfo("bone_volume_fraction", "dimensionless", "bone volume per tissue volume")
CELLS = (
    OutputInfo("OBp", "pM", "osteoblast precursors", role="cell"),
    OutputInfo("OBa", "pM", "active osteoblasts"),
    OutputInfo("OCa", "pM", "active osteoclasts"),
)
HEALING = (
    OutputInfo("inflammation", "dimensionless", "inflammation at the site", role="cell"),
    OutputInfo("callus_healing.cartilage", "dimensionless", "cartilage in the gap", role="cell"),
    OutputInfo("new_bone", "dimensionless", "bone in the gap"),
)
EXPOSURE = tuple(
    OutputInfo(f"m2.{part}", "particles", part, "exposure", GROUP, part) for part in ("plasma", "liver", "bone")
)
HALF_LIVES = {"plasma": 0.08, "liver": np.inf, "bone": 1.5}
EARLY = 28.0 + np.concatenate([[0.0], np.geomspace(2 / 1440, 2.0, 60)])


def course(*, hourly: bool = True) -> np.ndarray:
    """Days of a record: daily for 24 weeks, and hourly after each dose."""
    days = np.arange(0.0, 169.0)
    return np.unique(np.concatenate([days, *(dose + np.arange(1, 72) / 24 for dose in WEEKLY)])) if hourly else days


def exposure_of(part: str, days: np.ndarray) -> np.ndarray:
    since = days[:, None] - np.array(WEEKLY)
    left = 2e11 * 0.5 ** (np.maximum(since, 0.0) / HALF_LIVES.get(part, 1.0))
    return np.where(since >= 0, left, 0.0).sum(axis=1)


def result(
    outputs: tuple[OutputInfo, ...] = (FRACTION, *CELLS, *HEALING, *EXPOSURE),
    arms: tuple[str, ...] = ("dosed", "vehicle"),
    doses: list[dict] = DOSES,
    days: np.ndarray | None = None,
    early: bool = True,
) -> xr.Dataset:
    days = course() if days is None else days
    dataset = to_dataset(
        outputs=outputs,
        t=days,
        y=values_of(outputs, arms, days),
        arms=arms,
        status=np.zeros(len(arms)),
        stop_time=np.full(len(arms), days[-1]),
        cause=[""] * len(arms),
        status_words={0: "ok", 1: "step_too_small"},
        attrs={"title": "M2 macrophage vesicles", "doses": doses},
    )
    return with_early_exposure(dataset, outputs, EARLY, values_of(outputs, arms, EARLY)) if early else dataset


def values_of(outputs: tuple[OutputInfo, ...], arms: tuple[str, ...], days: np.ndarray) -> np.ndarray:
    """(time, output, arm)"""
    rows = []
    for info in outputs:
        if info.role == "exposure":
            rows.append([exposure_of(info.compartment, days) * (arm != "vehicle") for arm in arms])
        else:
            rows.append([0.3 - 0.1 * (1 - np.exp(-days / (60 + 20 * (arm != "vehicle")))) for arm in arms])
    return np.array(rows).transpose(2, 0, 1)


def texts(figure: Figure) -> list[str]:
    """All that is written beside lines."""
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def lines(axes) -> dict[str, np.ndarray]:
    return {str(line.get_label()): np.asarray(line.get_ydata()) for line in axes.get_lines()}


def test_a_fraction_is_shown_in_percent():
    dataset = result()
    (axes,) = plot_bone_volume(dataset).axes
    assert axes.get_ylabel() == "bone volume per tissue volume (%)"
    np.testing.assert_allclose(lines(axes)["dosed"], 100 * dataset["bone_volume_fraction"].sel(arm="dosed"), rtol=1e-15)


def test_a_volume_keeps_its_unit():
    (axes,) = plot_bone_volume(result((OutputInfo("bone_volume", "mm^3", "bone volume"),))).axes
    assert axes.get_ylabel() == "bone volume (mm^3)"


def test_the_end_says_the_difference_to_the_vehicle():
    ends = 0.3 - 0.1 * (1 - np.exp(-168.0 / np.array([80.0, 60.0])))
    change = 100 * (ends[0] / ends[1] - 1)
    assert texts(plot_bone_volume(result()))[:3] == ["start", f"dosed\n{change:.2g} % more than vehicle", "vehicle"]


def with_difference(percent: np.ndarray) -> xr.Dataset:
    """A vehicle that stays, and a dosed arm that differs from it by so many percent."""
    dataset = result((FRACTION,))
    dataset["bone_volume_fraction"][1] = 0.2
    dataset["bone_volume_fraction"][0] = 0.2 * (1 + percent / 100)
    return dataset


def test_an_effect_that_is_over_is_marked_where_it_was_largest():
    days = course()
    for size, words in ((17.0, "17 % more"), (-7.6, "7.6 % less"), (152.0, "152 % more")):
        gone = with_difference(size * np.exp(-(((days - 84.0) / 14.0) ** 2)))
        labels = ["start", "dosed\nsame as vehicle", "vehicle", f"{words} than vehicle\nat week 12"]
        assert texts(plot_bone_volume(gone)) == labels


def test_an_effect_that_is_largest_at_the_end_is_written_once():
    lasting = with_difference(course() / 10)
    assert texts(plot_bone_volume(lasting)) == ["start", "dosed\n17 % more than vehicle", "vehicle"]


def test_the_axis_of_bone_volume_begins_at_zero():
    (axes,) = plot_bone_volume(result()).axes
    assert axes.get_ylim()[0] == 0.0


def test_without_a_dose_there_is_one_line():
    dataset = with_difference(np.zeros(len(course())))
    dataset = dataset.assign(OBa=dataset["bone_volume_fraction"])
    dataset.attrs["doses"] = "[]"
    assert texts(plot_bone_volume(dataset)) == ["start", "untreated"]
    (axes,) = plot_cells(dataset).axes
    assert [label for label in lines(axes) if not label.startswith("_")] == ["untreated"]
    dataset.attrs["doses"] = result().attrs["doses"]
    assert texts(plot_bone_volume(dataset)) == ["start", "dosed\nsame as vehicle", "vehicle"]


def test_a_quantity_without_a_label_goes_by_its_name():
    (axes,) = plot_bone_volume(result((OutputInfo("bone_volume_fraction", "1", "bone_volume_fraction"),))).axes
    assert axes.get_ylabel() == "bone volume fraction (%)"


def test_time_is_in_weeks_and_doses_stand_at_theirs():
    (axes,) = plot_bone_volume(result()).axes
    assert axes.get_xlabel() == "time (weeks)"
    assert axes.get_xlim() == (0.0, 24.0)
    marks = next(line for line in axes.get_lines() if line.get_label() == DOSES[0]["label"])
    np.testing.assert_allclose(marks.get_xdata(), np.arange(4, 12))
    assert marks.get_marker() == "v"


def test_doses_day_by_day_are_ticks():
    daily = [DOSES[0] | {"times_day": list(range(100))}]
    (axes,) = plot_bone_volume(result(doses=daily)).axes
    assert next(line for line in axes.get_lines() if line.get_label() == DOSES[0]["label"]).get_marker() == "|"


def test_an_infusion_has_a_bar_as_long_as_it_lasts():
    (axes,) = plot_bone_volume(result(doses=[DOSES[0] | {"times_day": [28.0], "over_day": 3.5}])).axes
    bars = [list(line.get_xdata()) for line in axes.get_lines() if len(line.get_xdata()) == 2]
    assert [4.0, 4.5] in bars


def test_without_doses_there_is_no_legend():
    assert plot_bone_volume(result(doses=[])).legends == []


def test_an_arm_that_stopped_is_labelled_where_it_stopped():
    dataset = result()
    dataset["bone_volume_fraction"][0, 50:] = np.nan
    dataset["bone_volume_fraction"][1, :] = np.nan
    assert texts(plot_bone_volume(dataset)) == ["start", "dosed\nstopped early"]


def test_an_arm_that_stopped_is_not_held_against_a_later_vehicle():
    dataset = with_difference(np.zeros(len(course())))
    dataset["bone_volume_fraction"][1] = np.linspace(0.3, 0.1, len(course()))
    dataset["bone_volume_fraction"][0, 50:] = np.nan
    assert texts(plot_bone_volume(dataset))[:3] == ["start", "dosed\nstopped early", "vehicle"]


def test_cells_are_changes_from_the_start():
    figure = plot_cells(result())
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "osteoblast precursors (OBp)",
        "active osteoblasts (OBa)",
        "active osteoclasts (OCa)",
    ]
    for axes in figure.axes:
        assert lines(axes)["dosed"][0] == 0.0
        assert lines(axes)["vehicle"][-1] == pytest.approx(100 * (-0.1 * (1 - np.exp(-168 / 60)) / 0.3))
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["dosed", "vehicle", DOSES[0]["label"]]


def test_cells_of_a_joined_model_are_found():
    figure = plot_cells(result((OutputInfo("core.OBa", "pM", "active osteoblasts"),)))
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["active osteoblasts (core.OBa)"]


def test_healing_shows_shares_of_the_gap_in_percent_and_inflammation_as_it_is():
    dataset = result()
    figure = plot_healing(dataset)
    assert [(axes.get_title(loc="left"), axes.get_ylabel()) for axes in figure.axes] == [
        ("inflammation at the site", "relative"),
        ("cartilage in the gap", "% of the gap"),
        ("bone in the gap", "% of the gap"),
        ("bone in the gap, against vehicle", "% of the gap"),
    ]
    *courses, difference = figure.axes
    dosed, vehicle = (dataset[HEALING[-1].name].sel(arm=arm).values for arm in ("dosed", "vehicle"))
    np.testing.assert_allclose(difference.lines[-1].get_ydata(), 100 * (dosed - vehicle), rtol=1e-12)
    for axes, name, scale in zip(courses, (info.name for info in HEALING), (1, 100, 100), strict=True):
        np.testing.assert_allclose(lines(axes)["dosed"], scale * dataset[name].sel(arm="dosed"), rtol=1e-15)
        assert axes.get_ylim()[0] == 0.0


def test_exposure_shows_the_course_and_the_first_hours():
    whole, first = plot_exposure(result()).axes
    assert whole.get_title(loc="left") == GROUP
    assert first.get_xlabel() == "time since first dose (hours)"
    assert whole.get_yscale() == "log"
    assert whole.get_ylim() == first.get_ylim()
    assert whole.get_ylim()[0] == 1e6
    assert whole.get_ylabel() == "vesicles (particles)"
    assert first.get_xlim() == (0.0, 48.0)


def test_compartments_are_labelled_beside_their_lines():
    assert sorted(texts(plot_exposure(result()))) == ["bone", "liver", "plasma"]


def test_the_line_of_the_bone_stands_out():
    widths = {line.get_color(): line.get_linewidth() for line in plot_exposure(result()).axes[1].get_lines()[:3]}
    assert max(widths, key=lambda colour: widths[colour]) == BLUE


def test_the_first_hours_are_those_of_the_early_record():
    early = lines(plot_exposure(result(days=course(hourly=False))).axes[1])
    np.testing.assert_array_equal(early["bone"], exposure_of("bone", EARLY))


def test_what_empties_between_two_records_stands_in_the_first_hours_only():
    whole, first = plot_exposure(result(days=course(hourly=False))).axes
    assert "plasma" not in lines(whole)
    assert {"liver", "bone"} <= lines(whole).keys()
    assert {"plasma", "liver", "bone"} <= lines(first).keys()
    assert whole.get_xlabel() == (
        "time (weeks)\nvalues every 1 day, after a dose\nlines that only rise: all that ever got there\n"
        "plasma: too quick, see first hours"
    )


def test_what_the_record_follows_is_a_line():
    whole, _ = plot_exposure(result()).axes
    assert {"plasma", "liver", "bone"} <= lines(whole).keys()
    assert whole.get_xlabel() == (
        "time (weeks)\nvalues at the recorded times, after a dose\nlines that only rise: all that ever got there"
    )


def test_without_an_early_record_quick_values_are_dots():
    (whole,) = plot_exposure(result(days=course(hourly=False), early=False)).axes
    (plasma,) = (line for line in whole.get_lines() if line.get_label() == "plasma")
    assert (plasma.get_marker(), plasma.get_linestyle()) == (".", "None")
    assert "plasma: dots, with higher values between" in whole.get_xlabel()


def test_small_compartments_share_a_grey_label():
    shares = {"central": 1, "liver": 0.3, "lung": 0.07, "spleen": 0.016, "kidney": 0.01, "bone": 0.002, "cells": 0.01}
    shares["elsewhere"] = 0.6
    infos = tuple(OutputInfo(f"m2.{part}", "particles", part, "exposure", GROUP, part) for part in shares)
    dataset = result(infos)
    for part, share in shares.items():
        dataset[f"m2.{part}"][0] = share * exposure_of("liver", course())
        dataset[f"m2.{part}_early"][0] = share * exposure_of("liver", EARLY)
    figure = plot_exposure(dataset)
    assert set(texts(figure)) == {"central", "liver", "lung", "bone", "cells", "elsewhere", "spleen, kidney"}
    grey = [line.get_label() for line in figure.axes[1].get_lines() if line.get_color() == PALE]
    assert grey == ["spleen", "kidney"]


def test_two_doses_of_a_group_are_told_apart_in_a_legend():
    doses = [*DOSES, DOSES[0] | {"label": "20 ug macrophage_m2, intravenous", "times_day": [90.0]}]
    (legend,) = plot_exposure(result(doses=doses)).legends
    assert [text.get_text() for text in legend.get_texts()] == [row["label"] for row in doses]
    assert plot_exposure(result()).legends == []


def test_a_number_keeps_its_unit_where_a_label_is_broken():
    label = f"{'x' * (LEGEND_LINE - 4)} 100 ug, local"
    (legend,) = plot_cells(result(CELLS, doses=[DOSES[0] | {"label": label}])).legends
    lines = legend.get_texts()[-1].get_text().split("\n")
    assert lines == ["x" * (LEGEND_LINE - 4), "100 ug, local"]


def test_each_group_has_a_row_with_its_own_doses():
    local = OutputInfo("local.bone", "particles", "bone", "exposure", "ucmsc_exo local", "bone")
    doses = [*DOSES, {"label": "local", "times_day": [28.0], "over_day": 0.0, "group": "ucmsc_exo local"}]
    figure = plot_exposure(result((*EXPOSURE, local), doses=doses))
    assert len(figure.axes) == 4
    marked = [[line.get_label() for line in axes.get_lines() if line.get_marker() == "v"] for axes in figure.axes]
    assert marked == [[DOSES[0]["label"]], [DOSES[0]["label"]], ["local"], ["local"]]


def test_an_arm_without_vesicles_draws_too():
    assert plot_exposure(result(), arm="vehicle").axes[0].get_ylim() == (1e-5, 2.5)


@pytest.mark.parametrize(
    ("plot", "message"),
    [
        (plot_bone_volume, "the result has no bone volume\n  try: add 'bone_volume_fraction' to the outputs"),
        (plot_cells, "the result has no bone cells\n  try: add 'OBp', 'OBa' or 'OCa' to the outputs"),
        (plot_healing, "the result has no healing gap\n  try: add 'new_bone' to the outputs"),
        (plot_exposure, "the result has no exposure\n  try: a scenario with at least one dose"),
    ],
)
def test_what_a_figure_needs(plot, message):
    with pytest.raises(InputError) as caught:
        plot(result((OutputInfo("CTX", "pM", "telopeptide"),)))
    assert str(caught.value) == message


def test_a_misspelt_quantity():
    with pytest.raises(InputError) as caught:
        plot_bone_volume(result((FRACTION,)), "bone_volum_fraction")
    assert str(caught.value) == "the result has no bone_volum_fraction\n  try: did you mean 'bone_volume_fraction'?"


def test_figures_are_saved_where_the_result_allows(tmp_path):
    point = {"output": "OBa", "arm": "dosed", "time_day": 56.0, "value": 0.01, "sd": 0.002, "low": None, "high": None}
    measured = result().assign_attrs(data=json.dumps([point]))
    assert tuple(path.name for path in save_figures(measured, tmp_path)) == FIGURES
    assert tuple(path.name for path in save_figures(result(), tmp_path)) == FIGURES[:-1]
    for path in tmp_path.iterdir():
        assert path.read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in save_figures(result(CELLS), tmp_path)] == ["cells.png"]


def test_drawing_changes_no_setting(tmp_path):
    before = dict(matplotlib.rcParams)
    save_figures(result(), tmp_path)
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize(
    ("days", "name"), [(2.0, "hours"), (28.0, "days"), (168.0, "weeks"), (700.0, "months"), (3000.0, "years")]
)
def test_the_unit_of_time_fits_the_course(days, name):
    assert time_axis(days).name == name


def test_arms_differ_in_colour_and_the_vehicle_is_dashed():
    styles = arm_styles(["dosed", "vehicle", "low", "high"])
    assert len({style.color for style in styles.values()}) == 4
    assert styles["dosed"].linestyle == "solid"
    assert styles["vehicle"].linestyle != "solid"


@pytest.mark.parametrize(
    ("heights", "placed"),
    [
        ([0.2, 0.8], [0.2, 0.8]),
        ([0.5, 0.5], [0.45, 0.55]),
        ([0.55, 0.5], [0.575, 0.475]),
        ([0.0, 0.0, 0.0], [0.0, 0.1, 0.2]),
        ([1.0, 0.98], [1.0, 0.9]),
        ([], []),
    ],
)
def test_labels_move_apart_and_stay_inside(heights, placed):
    assert moved_apart(heights, [0.1] * len(heights)) == pytest.approx(placed)


def test_larger_labels_take_more_room():
    assert moved_apart([0.5, 0.5, 0.5], [0.1, 0.3, 0.1]) == pytest.approx([0.3, 0.5, 0.7])


def test_no_two_labels_overlap():
    dataset = result(arms=("dosed", "low", "high", "vehicle"))
    figure = plot_bone_volume(dataset)
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for axes in figure.axes for text in axes.texts]
    assert len(boxes) == 5
    assert not any(one.overlaps(other) for k, one in enumerate(boxes) for other in boxes[:k])
    assert all(figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 for box in boxes)


def with_draws(dataset: xr.Dataset, factors: np.ndarray) -> xr.Dataset:
    """The result with draws that are so many times the stated values; exposures stay as they are."""
    drawn = {name: dataset[name] for name in dataset.data_vars if dataset[name].attrs.get("role") in ("output", "cell")}
    twins = {f"{name}_stated": variable.assign_attrs(role="stated") for name, variable in drawn.items()}
    by_member = xr.DataArray(factors, dims="member")
    members = {
        name: (variable * by_member).transpose("arm", "member", "time").assign_attrs(variable.attrs)
        for name, variable in drawn.items()
    }
    return dataset.assign(twins).assign(members).assign_coords(member=np.arange(len(factors)))


def test_a_band_holds_nine_tenths_of_the_draws_about_the_line_of_the_stated_values():
    dataset = with_draws(result((FRACTION,)), np.linspace(0.5, 1.5, 101))
    axes, below = plot_bone_volume(dataset).axes
    course = 100 * dataset["bone_volume_fraction_stated"].sel(arm="dosed").values
    np.testing.assert_allclose(lines(axes)["dosed"], course)
    corners = axes.collections[0].get_paths()[0].vertices[:, 1]
    assert (corners.min(), corners.max()) == pytest.approx((0.55 * course.min(), 1.45 * course.max()))
    (legend,) = axes.figure.legends
    assert legend.get_texts()[0].get_text() == "5 to 95 % of the draws; lines: stated values"
    # All draws are in proportion, so that each differs from its own vehicle as the stated values do.
    more = 100 * (course / (100 * dataset["bone_volume_fraction_stated"].sel(arm="vehicle").values) - 1)
    np.testing.assert_allclose(below.get_lines()[1].get_ydata(), more)
    corners = below.collections[0].get_paths()[0].vertices[:, 1]
    assert (corners.min(), corners.max()) == pytest.approx((more.min(), more.max()), abs=1e-9)


def test_more_treated_arms_have_their_differences_in_a_panel_and_no_more_than_two_bands():
    arms = ("dosed", "vehicle", "half", "empty")
    plain = result((FRACTION,), arms)
    axes, below = plot_bone_volume(plain).axes
    assert [len(panel.collections) for panel in (axes, below)] == [0, 0]
    drawn = with_draws(plain, np.linspace(0.9, 1.1, 21))
    axes, below = plot_bone_volume(drawn).axes
    assert [len(panel.collections) for panel in (axes, below)] == [2, 3]
    texts = [text.get_text() for text in axes.figure.legends[0].get_texts()]
    assert texts[0] == "5 to 95 % of the draws (above: dosed and vehicle); lines: stated values"
    assert len(plot_cells(with_draws(result(CELLS, arms), np.ones(3))).axes[0].collections) == 2
    same = result((FRACTION,), arms)
    same["bone_volume_fraction"][:] = 0.2
    assert len(plot_bone_volume(same).axes) == 1


def test_columns_of_a_legend_are_as_wide_as_they_need_to_be():
    figure = plot_cells(
        result(CELLS, ("dosed", "vehicle", "half", "empty"), doses=[DOSES[0] | {"label": "x" * 60}] * 2)
    )
    (legend,) = figure.legends
    assert legend._ncols == 3  # two arms, two arms, two doses; with equal columns there would be room for one
    long = plot_cells(result(CELLS, doses=[DOSES[0] | {"label": f"{number} {'gel ' * 40}"} for number in range(3)]))
    assert all(len(line) <= 72 for text in long.legends[0].get_texts() for line in text.get_text().split("\n"))


def test_each_arm_with_vesicles_at_other_places_has_a_row():
    dataset = result(arms=("dosed", "vehicle", "ko", "half"))
    for part in ("plasma", "liver", "bone"):
        for end in ("", "_early"):
            dataset[f"m2.{part}{end}"].loc[{"arm": "half"}] *= 0.5
    figure = plot_exposure(dataset)
    assert [axes.get_title(loc="left") for axes in figure.axes[::2]] == [
        f"dosed, ko: {GROUP}",
        f"half: {GROUP}",
    ]
    one, other = (lines(axes)["liver"] for axes in figure.axes[::2])
    np.testing.assert_allclose(one[-1], 2 * other[-1])
    # What is said below is said once where it is the same.
    assert ["values" in axes.get_xlabel() for axes in figure.axes[::2]] == [False, True]
    assert len(plot_exposure(dataset, arm="half").axes) == 2


def test_a_page_of_exposures_has_an_end():
    arms = ("dosed", "vehicle", *(f"arm{number}" for number in range(7)))
    dataset = result(arms=arms)
    for number in range(7):
        for part in ("plasma", "liver", "bone"):
            dataset[f"m2.{part}"].loc[{"arm": f"arm{number}"}] *= 2.0 + number
    figure = plot_exposure(dataset)
    assert len(figure.axes) == 12
    assert "without what differs in arm5, arm6" in figure.get_suptitle().replace("\n", " ")


def test_cells_of_each_draw_start_at_no_change():
    figure = plot_cells(with_draws(result(CELLS), np.array([0.5, 1.0, 4.0])))
    corners = figure.axes[0].collections[0].get_paths()[0].vertices
    assert np.abs(corners[corners[:, 0] == 0.0, 1]).max() < 1e-9


def test_an_exposure_that_an_arm_does_not_have_is_not_drawn():
    dataset = with_draws(result(), np.array([0.9, 1.1]))
    for name in [name for name in dataset.data_vars if str(name).startswith("m2.")]:
        dataset[name].loc[{"arm": "dosed"}] = np.nan
    with pytest.raises(InputError, match="the result has no exposure"):
        plot_exposure(dataset)


def test_measurements_stand_at_their_time_in_the_unit_of_the_axis():
    point = {"output": "bone_volume_fraction", "arm": "vehicle", "time_day": 84.0, "value": 0.2}
    bars = [{"sd": 0.01, "low": None, "high": None}, {"sd": None, "low": 0.19, "high": 0.23}]
    data = json.dumps([point | bar for bar in bars])
    (axes,) = plot_measured(result((FRACTION,)).assign_attrs(data=data)).axes
    one, two = axes.containers
    assert [float(part) for part in one[0].get_xydata()[0]] == pytest.approx([12.0, 20.0])
    ends = [bar[2][0].get_segments()[0][:, 1].tolist() for bar in (one, two)]
    assert ends == [pytest.approx([19.0, 21.0]), pytest.approx([19.0, 23.0])]


def test_a_result_without_measurements_has_no_figure_of_them():
    with pytest.raises(InputError, match="the result has no measurements"):
        plot_measured(result())
