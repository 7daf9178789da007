"""Figures of a sweep: what they show, for every kind of design."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure

from bonesim.errors import InputError
from bonesim.plot import plot_fan, plot_surface, save_study_figures
from bonesim.plot.surface import Varied, share

DAYS = np.arange(0.0, 50.0)
KIND = "largest_against_vehicle_percent"


def axis(path: str, values: np.ndarray, *, log: bool = False, levels: bool = True) -> dict[str, Any]:
    about = {"path": path, "label": path, "unit": "ug", "scale": "log" if log else "linear", "values": values}
    ends = {"levels": np.unique(values).tolist()} if levels else {"low": values.min(), "high": values.max()}
    return about | ends


def study(axes: list[dict[str, Any]], gain: np.ndarray) -> xr.Dataset:
    """Members that rise by `gain` percent of a vehicle that stays at 2."""
    members = len(gain)
    vehicle = np.full((members, len(DAYS)), 2.0)
    dosed = vehicle * (1.0 + gain[:, None] / 100.0 * DAYS / DAYS[-1])
    design = {"axes": [{key: value for key, value in one.items() if key != "values"} for one in axes]}
    courses = np.stack([dosed, vehicle], axis=1)
    summary = np.stack([gain, np.zeros(members)], axis=1)
    about = {"units": "pM", "long_name": "active osteoblasts", "role": "output"}
    return xr.Dataset(
        {
            "OBa": (("member", "arm", "time"), courses, about),
            f"OBa_{KIND}": (("member", "arm"), summary, {"units": "%", "long_name": "osteoblasts, at most"}),
        },
        {
            "arm": ["dosed", "vehicle"],
            "time": ("time", DAYS, {"units": "day"}),
            **{one["path"]: ("member", one["values"]) for one in axes},
        },
        {"title": "a study", "design": json.dumps(design)},
    )


def grid(*levels: np.ndarray) -> list[np.ndarray]:
    return [one.ravel() for one in np.meshgrid(*levels, indexing="ij")]


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def test_a_fan_has_the_quantiles_of_the_members() -> None:
    gain = np.linspace(0.0, 100.0, 101)
    figure = plot_fan(study([axis("x", gain)], gain))
    (panel,) = figure.axes
    lines = {str(line.get_label()): np.asarray(line.get_ydata()) for line in panel.get_lines()}
    assert lines["median"][-1] == pytest.approx(3.0)
    assert (lines["vehicle"] == 2.0).all()
    outer, inner = (band.get_paths()[0].get_extents() for band in panel.collections)
    assert outer.y1 == pytest.approx(2.0 * 1.95)
    assert inner.y1 == pytest.approx(2.0 * 1.75)


BANDS = ["5 to 95 % of the members", "25 to 75 % of the members"]


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_a_fan_leaves_out_what_stopped_and_says_so() -> None:
    data = study([axis("x", np.array([1.0, 2.0]))], np.array([10.0, 20.0]))
    assert legend(plot_fan(data)) == ["median", "vehicle", *BANDS]
    data["OBa"].values[1, :, 20:] = np.nan
    figure = plot_fan(data)
    assert np.asarray(figure.axes[0].get_lines()[0].get_ydata())[-1] == pytest.approx(2.2)
    assert legend(figure) == ["median", "vehicle", *BANDS, "1 of 2 stopped early"]


def test_a_vehicle_that_differs_between_members_has_its_own_band() -> None:
    data = study([axis("x", np.arange(20.0))], np.arange(20.0))
    data["OBa"].values[:, 1] *= np.linspace(1.0, 2.0, 20)[:, None]
    figure = plot_fan(data)
    assert len(figure.axes[0].get_lines()) == 4
    assert legend(figure) == ["median", "vehicle", "5 to 95 % of the vehicles", *BANDS]


def test_one_quantity_is_a_curve() -> None:
    amounts = np.array([100.0, 1.0, 10.0])
    figure = plot_surface(study([axis("x", amounts, log=True)], np.array([3.0, 1.0, 2.0])))
    curve = figure.axes[0].get_lines()[-1]
    assert np.asarray(curve.get_xdata()).tolist() == [1.0, 10.0, 100.0]
    assert np.asarray(curve.get_ydata()).tolist() == [1.0, 2.0, 3.0]
    assert figure.axes[0].get_xscale() == "log"
    assert figure.axes[0].get_xlabel() == "x (ug)"


def test_a_fine_grid_has_contours_and_a_coarse_one_tiles() -> None:
    fine = grid(np.arange(5.0), np.arange(6.0))
    figure = plot_surface(study([axis("x", fine[0]), axis("y", fine[1])], fine[0] + fine[1]))
    assert any(isinstance(one, ContourSet) for one in figure.axes[0].collections)
    coarse = grid(np.array([1.0, 2.0]), np.array([1.0, 2.0, 3.0]))
    figure = plot_surface(study([axis("x", coarse[0]), axis("y", coarse[1])], 10.0 * coarse[0] + coarse[1]))
    assert texts(figure) == ["11", "21", "12", "22", "13", "23"]


def test_a_sample_has_contours_over_its_triangles() -> None:
    random = np.random.default_rng(1)
    x, y = 10.0 ** random.uniform(0, 3, 60), random.uniform(2, 14, 60)
    axes = [axis("x", x, log=True, levels=False), axis("y", y, levels=False)]
    figure = plot_surface(study(axes, np.log(x) - y))
    assert any(isinstance(one, ContourSet) for one in figure.axes[0].collections)
    assert (figure.axes[0].get_xscale(), figure.axes[0].get_yscale()) == ("log", "linear")


def test_of_three_quantities_the_two_that_matter_are_shown() -> None:
    x, y, z = grid(np.arange(2.0), np.arange(3.0), np.arange(2.0))
    figure = plot_surface(study([axis("x", x), axis("y", y), axis("z", z)], x + 100.0 * y + 10.0 * z))
    panel = figure.axes[0]
    assert (panel.get_xlabel(), panel.get_ylabel()) == ("y (ug)", "z (ug)")
    assert panel.get_title(loc="left").endswith("\nmean over x (ug)")
    assert texts(figure) == ["0.5", "100", "200", "10", "110", "210"]


def test_colours_are_those_of_what_is_shown_not_of_the_members_behind_the_means() -> None:
    x, y, z = grid(np.arange(5.0), np.arange(5.0), np.array([1e-3, 2.0]))
    gain = (1.0 + x + y) * z
    figure = plot_surface(study([axis("x", x), axis("y", y), axis("z", z)], gain))
    assert figure.axes[0].get_title(loc="left").endswith("mean over y (ug)")
    # The mean of 1 + x + y over y is 3 + x.
    colours = figure.axes[0].collections[0].norm
    assert (colours.vmin, colours.vmax) == pytest.approx((3.0 * 1e-3, 7.0 * 2.0))


def test_members_without_a_result_are_counted() -> None:
    coarse = grid(np.array([1.0, 2.0]), np.array([1.0, 2.0, 3.0]))
    data = study([axis("x", coarse[0]), axis("y", coarse[1])], 10.0 * coarse[0] + coarse[1])
    data[f"OBa_{KIND}"].values[[0, 5]] = np.nan
    figure = plot_surface(data)
    assert figure.axes[0].get_title(loc="left").endswith("\n2 of 6 members have no result and are left out")
    assert texts(figure) == ["21", "12", "22", "13"]


def test_a_short_axis_by_ratio_has_more_ticks_than_its_powers_of_ten() -> None:
    x = np.geomspace(0.15, 8.0, 40)
    figure = plot_surface(study([axis("x", x, log=True, levels=False)], x))
    figure.draw_without_rendering()
    shown = [label.get_text() for label in figure.axes[0].get_xticklabels() if 0.15 <= label.get_position()[0] <= 8.0]
    assert shown == ["0.2", "0.5", "1", "2", "5"]


@given(weights=st.lists(st.floats(0.1, 10.0), min_size=2, max_size=4))
def test_shares_of_an_additive_quantity_are_those_of_its_parts(weights: list[float]) -> None:
    columns = grid(*(np.arange(3.0) for _ in weights))
    y = sum(weight * column for weight, column in zip(weights, columns, strict=True))
    for weight, column in zip(weights, columns, strict=True):
        one = Varied("", column, False, np.arange(3.0))
        assert share(one, np.asarray(y)) == pytest.approx(weight**2 / sum(w**2 for w in weights))


def test_equal_members_draw_too() -> None:
    x, y = grid(np.arange(5.0), np.arange(5.0))
    plot_surface(study([axis("x", x), axis("y", y)], np.full(25, 3.0)))


def test_an_output_that_there_is_not() -> None:
    data = study([axis("x", np.arange(3.0))], np.arange(3.0))
    with pytest.raises(InputError, match=f"the study has no {KIND} of 'OBb'\n  try: did you mean 'OBa'?"):
        plot_surface(data, "OBb")
    data[f"OBa_{KIND}"].values[:] = np.nan
    with pytest.raises(InputError, match=f"no member has a {KIND} of 'OBa'"):
        plot_surface(data)


def test_figures_are_saved_where_a_member_arrived(tmp_path: Path) -> None:
    data = study([axis("x", np.arange(3.0))], np.arange(3.0))
    files = save_study_figures(data, tmp_path, "mine")
    assert [file.name for file in files] == ["mine_fan.png", "mine_surface.png"]
    data[f"OBa_{KIND}"].values[:] = np.nan
    assert save_study_figures(data, tmp_path, "none") == []
