"""Shapley values: known games, what they add up to, and how close a sample of orders comes."""

from __future__ import annotations

import numpy as np
import pytest

from bonesim.shapley import EXACT, ORDERS, Coalition, plan, shapley


def glove(present: Coalition) -> np.ndarray:
    """Players 0 and 1 have left gloves, player 2 a right one: a pair is worth 1."""
    return np.asarray(float(2 in present and bool(present & {0, 1})))


def additive(present: Coalition) -> np.ndarray:
    return np.asarray(sum(2.0**player for player in present))


def crowd(present: Coalition) -> np.ndarray:
    """Player 0 is worth 1 alone; each further player adds to the square of their number, at two times."""
    others = len(present - {0})
    return np.array([float(0 in present) + others**2, 3.0 * others])


def test_the_glove_game_has_its_textbook_values() -> None:
    values, errors = shapley(plan(3), glove)
    assert values == pytest.approx(np.array([1, 1, 4]) / 6, rel=1e-14)
    assert not errors.any()


@pytest.mark.parametrize("players", [1, 3, EXACT, EXACT + 4])
def test_players_that_do_not_interact_get_what_they_are_worth(players: int) -> None:
    values, errors = shapley(plan(players), additive)
    assert values == pytest.approx(2.0 ** np.arange(players), rel=1e-12)
    assert errors == pytest.approx(np.zeros(players), abs=1e-9)


@pytest.mark.parametrize("players", [4, EXACT + 3])
def test_values_add_up_to_what_all_achieve(players: int) -> None:
    values, _ = shapley(plan(players), crowd)
    assert values.shape == (players, 2)
    assert values.sum(axis=0) == pytest.approx(crowd(frozenset(range(players))), rel=1e-12)


def test_a_sample_is_within_its_error_of_the_exact_values() -> None:
    players = EXACT + 3
    values, errors = shapley(plan(players, seed=3), crowd)
    exact = np.array([1.0, *[players - 1.0] * (players - 1)])
    assert np.all(np.abs(values[:, 0] - exact) <= 4 * errors[:, 0] + 1e-12)


def test_orders_come_beside_their_reverse_and_again_with_the_same_seed() -> None:
    first, again = plan(EXACT + 1, seed=5).orders, plan(EXACT + 1, seed=5).orders
    assert first is not None
    assert again is not None
    assert first.shape == (ORDERS, EXACT + 1)
    assert np.array_equal(first, again)
    assert np.array_equal(first[: ORDERS // 2], first[ORDERS // 2 :, ::-1])
    assert not np.array_equal(first, plan(EXACT + 1, seed=6).orders)


def test_the_empty_and_the_whole_coalition_are_always_there() -> None:
    for players in (2, EXACT + 2):
        found = set(plan(players).coalitions)
        assert {frozenset(), frozenset(range(players))} <= found
    assert len(plan(5).coalitions) == 2**5
