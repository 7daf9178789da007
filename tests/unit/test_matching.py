"""Who gets what: as many as possible, those who come first served first, nobody sent away again."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from bonesim.model.matching import matching


def test_the_earlier_of_two_is_served() -> None:
    assert matching({"a": [1], "b": [1]}) == {1: "a"}


def test_one_gives_way_and_takes_another() -> None:
    assert matching({"a": [1, 2], "b": [1]}) == {1: "b", 2: "a"}


def test_who_has_something_to_begin_with_keeps_one_thing() -> None:
    assert matching({"a": [1], "b": [1, 2]}, {1: "b"}) == {1: "a", 2: "b"}
    assert matching({"a": [1, 2], "b": [1]}, {1: "a"}) == {1: "b", 2: "a"}


@given(st.dictionaries(st.integers(0, 4), st.lists(st.sampled_from("vwxyz"), unique=True), max_size=5))
def test_no_other_choice_serves_more(wishes: dict[int, list[str]]) -> None:
    found = matching(wishes)
    assert len(set(found.values())) == len(found)
    assert all(thing in wishes[one] for thing, one in found.items())
    orders = permutations("vwxyz")
    best = max(sum(thing in wishes[one] for one, thing in zip(wishes, order, strict=False)) for order in orders)
    assert len(found) == best
