"""Figures of papers: which lines they hold, and what tells them apart."""

from __future__ import annotations

import numpy as np
import pytest

from bonesim.compose.card import Figure, Panel, Run, load_card
from bonesim.plot import plot_published
from bonesim.simulate import simulate


def test_a_line_for_each_run_with_the_courses_of_the_model() -> None:
    card = load_card("komarova2003")
    shown = next(figure for figure in card.figures if figure.id == "autocrine")
    axes = plot_published(card, shown).axes[0]
    lines = axes.get_lines()
    assert [line.get_label() for line in lines] == ["g11 = 0.5", "g11 = 1.0", "g11 = 1.1"]
    assert len({line.get_color() for line in lines}) == 3
    times = np.linspace(0.0, shown.until, len(lines[2].get_xdata()))
    expected = simulate("komarova2003", times, ["OCa"], parameters={"g11": 1.1}, initial={"OCa": 11.0})
    assert np.asarray(lines[2].get_ydata()) == pytest.approx(expected["OCa"].values, rel=1e-4)


def test_symbols_of_a_panel_differ_by_dashes_and_are_named() -> None:
    card = load_card("pivonka2008")
    panel = Panel(symbols=("OBp", "OBa"), label="cells", scale="log")
    shown = Figure(id="x", shows="both", until=10.0, runs=(Run(label="a"), Run(label="b")), panels=(panel,))
    figure = plot_published(card, shown)
    axes = figure.axes[0]
    lines = [line for line in axes.get_lines() if len(line.get_xdata())]
    assert len(lines) == 4
    assert len({line.get_linestyle() for line in lines}) == 2
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [card.symbols[one].label for one in ("OBp", "OBa")]
    assert axes.get_yscale() == "log"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b"]


def test_a_figure_is_shown_from_a_time_on() -> None:
    card = load_card("nelson2026")
    panel = Panel(symbols=("BMD_relative",), label="density")
    figure = plot_published(card, Figure(id="x", shows="late", since=9125.0, until=10950.0, panels=(panel,)))
    line = figure.axes[0].get_lines()[0]
    first, last = np.asarray(line.get_xdata())[[0, -1]]
    assert first / last == pytest.approx(9125 / 10950, rel=1e-12)
    assert np.asarray(line.get_ydata())[-1] == pytest.approx(1.0, rel=1e-6)
