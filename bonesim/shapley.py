"""How much each of several players adds to what they achieve together: Shapley values over a batch of coalitions.

The Shapley value of a player is what it adds to the players before it, averaged over all orders in which they may come,

.. math:: \\phi_i = \\frac{1}{n!} \\sum_{\\pi} [v(\\pi_{<i} \\cup \\{i\\}) - v(\\pi_{<i})]

(Shapley 1953, doi:10.1515/9781400881970-018). Values add up to what all achieve, whatever the interactions are. Few
players get the exact sum over coalitions; many get a sample of orders, each beside its reverse, with a standard error.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import combinations

import numpy as np

Coalition = frozenset[int]
"""Numbers of the players that take part."""

EXACT = 8
"""Players up to which all coalitions are looked at: 2^8 of them."""

ORDERS = 64
"""Orders that are drawn otherwise, as many of them reverses of others."""


@dataclass(frozen=True)
class Plan:
    """The orders to look at; None where all coalitions are."""

    players: int
    orders: np.ndarray | None

    @property
    def coalitions(self) -> tuple[Coalition, ...]:
        """Each coalition that is needed, once; the empty one and the whole are among them."""
        return tuple(dict.fromkeys(self._coalitions()))

    def _coalitions(self) -> Iterable[Coalition]:
        if self.orders is None:
            everyone = range(self.players)
            return (frozenset(some) for size in range(self.players + 1) for some in combinations(everyone, size))
        return (frozenset(order[:size]) for order in self.orders.tolist() for size in range(self.players + 1))


def plan(players: int, seed: int = 1) -> Plan:
    """Which coalitions of so many players are needed."""
    if players <= EXACT:
        return Plan(players, None)
    random = np.random.default_rng(seed)
    half = np.array([random.permutation(players) for _ in range(ORDERS // 2)])
    return Plan(players, np.concatenate([half, half[:, ::-1]]))


def shapley(chosen: Plan, achieved: Callable[[Coalition], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Values and their standard errors, (player, ...), from what each coalition of the plan achieved, (...)."""
    if chosen.orders is None:
        values = [_exact(player, chosen.players, achieved) for player in range(chosen.players)]
        return np.array(values), np.zeros_like(values)
    pairs = chosen.orders.reshape(2, -1, chosen.players)
    samples = [[_added(order, achieved) for order in orders.tolist()] for orders in pairs]
    each = np.mean(samples, axis=0)  # an order and its reverse are one sample
    return each.mean(axis=0), each.std(axis=0, ddof=1) / math.sqrt(len(each))


def _exact(player: int, players: int, achieved: Callable[[Coalition], np.ndarray]) -> np.ndarray:
    others = [other for other in range(players) if other != player]
    total: np.ndarray | float = 0.0
    for size in range(players):
        weight = 1.0 / (players * math.comb(players - 1, size))
        for some in combinations(others, size):
            total = total + weight * (achieved(frozenset((*some, player))) - achieved(frozenset(some)))
    return np.asarray(total)


def _added(order: list[int], achieved: Callable[[Coalition], np.ndarray]) -> np.ndarray:
    """(player, ...) what each player adds to those before it in one order."""
    steps = [achieved(frozenset(order[:size])) for size in range(len(order) + 1)]
    added = np.empty((len(order), *np.shape(steps[0])))
    added[order] = np.diff(np.array(steps), axis=0)
    return added
