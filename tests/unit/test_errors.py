"""The error tree and the texts of its messages."""

import pickle

import pytest

from bonesim.errors import (
    BonesimError,
    InputError,
    InternalError,
    Place,
    SimulationError,
    UnsupportedModelError,
    closest,
    quoted,
)


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (Place("a.yaml", 7, "doses[0].amount"), "a.yaml:7: doses[0].amount"),
        (Place("a.yaml", 7), "a.yaml:7"),
        (Place("a.yaml"), "a.yaml"),
        (Place("a.yaml", key="x"), "a.yaml: x"),
        (Place(key="x"), "x"),
        (Place(line=3), "line 3"),
        (Place(), ""),
    ],
)
def test_place_prints_only_what_is_known(place, text):
    assert str(place) == text


def test_message_is_place_problem_remedy():
    error = InputError("unknown key", place=Place("a.yaml", 7, "doses[0].amout"), remedy="did you mean 'amount'?")
    assert str(error) == "a.yaml:7: doses[0].amout: unknown key\n  try: did you mean 'amount'?"
    assert str(InputError("unknown key", place=Place())) == "unknown key"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BonesimError("x"), 1),
        (InputError("x"), 2),
        (UnsupportedModelError("x"), 2),
        (SimulationError("x"), 3),
        (InternalError("x"), 1),
    ],
)
def test_class_carries_the_exit_code(error, code):
    assert error.exit_code == code
    assert isinstance(error, BonesimError)


def test_errors_told_together():
    one, two = InputError("first", remedy="this"), InputError("second", place=Place("b.yaml", 2))
    three = InputError("third")
    joined = InputError.together([InputError.together([one, two]), three])
    assert str(joined) == "first\n  try: this\nb.yaml:2: second\nthird"
    assert joined.parts == (one, two, three)
    assert InputError.together([one]) is one
    assert one.parts == (one,)
    with pytest.raises(ValueError, match="no error to join"):
        InputError.together([])


def test_errors_of_one_class_stay_that_class_together():
    delay, fast = UnsupportedModelError("delay"), UnsupportedModelError("fast")
    assert type(InputError.together([delay, fast])) is UnsupportedModelError
    assert type(InputError.together([delay, InputError("x")])) is InputError


def test_errors_survive_a_process_boundary():
    joined = InputError.together([InputError("a", place=Place("f", 1, "k"), remedy="r"), InputError("b")])
    copy = pickle.loads(pickle.dumps(joined))
    assert str(copy) == str(joined)
    assert [part.place for part in copy.parts] == [Place("f", 1, "k"), None]
    assert pickle.loads(pickle.dumps(SimulationError("x", result=3))).result == 3


@pytest.mark.parametrize(
    ("word", "known", "remedy"),
    [
        ("amout", ["source", "amount"], "did you mean 'amount'?"),
        ("obp", ["OBp", "OBa"], "did you mean 'OBp'?"),
        ("OBA", ["OBp", "OBa"], "did you mean 'OBa'?"),
        ("zzz", ["a", "b"], "one of a, b"),
        ("OVX", ["gout", "ovx_osteoporosis"], "did you mean 'ovx_osteoporosis'?"),
        ("ovx", [*"abcdefghijklm", "ovx_osteoporosis", "after_ovx"], "one of ovx_osteoporosis, after_ovx"),
        ("ov", ["gout", "ovx_osteoporosis"], "one of gout, ovx_osteoporosis"),
        ("zzz", [], "leave it out; no name is known here"),
        ("zzz", [f"n{i}" for i in range(14)], f"one of {', '.join(f'n{i}' for i in range(12))}, ... (14 in all)"),
    ],
)
def test_closest_is_the_remedy(word, known, remedy):
    assert closest(word, known) == remedy


def test_quoted_text_is_one_short_line():
    assert quoted("a b") == "'a b'"
    assert quoted("a\nb\x1b") == "'a?b?'"
    assert quoted("x" * 61) == f"'{'x' * 57}...'"
