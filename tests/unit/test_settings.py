"""Settings refuse what makes no sense, and tolerances follow from the size of states."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bonesim.errors import InputError
from bonesim.solve.methods.rosenbrock import METHODS
from bonesim.solve.settings import Settings, default_atol

ATOL = "atol is negative or not a number\n  try: leave it out, or give positive numbers"
MESSAGES = {
    "rtol too small": ({"rtol": 1e-14}, "rtol 1e-14 is out of range\n  try: a value between 1e-13 and 0.1, e.g. 1e-6"),
    "rtol too large": ({"rtol": 1.0}, "rtol 1 is out of range\n  try: a value between 1e-13 and 0.1, e.g. 1e-6"),
    "rtol NaN": ({"rtol": np.nan}, "rtol nan is out of range\n  try: a value between 1e-13 and 0.1, e.g. 1e-6"),
    "method": ({"method": "rodas5"}, "unknown method 'rodas5'\n  try: did you mean 'rodas5p'?"),
    "no steps": ({"max_steps": 0}, "max_steps 0 is out of range\n  try: a positive whole number"),
    "atol": ({"atol": -1.0}, ATOL),
    "atol NaN": ({"atol": [1, np.nan]}, ATOL),
}


@pytest.mark.parametrize(("options", "message"), MESSAGES.values(), ids=MESSAGES)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        Settings(**options)
    assert str(caught.value) == message


def test_every_method_can_be_named_and_auto_is_rodas5p() -> None:
    assert Settings().tableau is METHODS["rodas5p"]
    assert [Settings(method=name).tableau.name for name in METHODS] == list(METHODS)


def test_tolerances_follow_from_each_member_s_own_sizes() -> None:
    atol = default_atol(1e-6, np.array([[2.0, 0.0, 0.0], [0.0, 4.0, 0.0], [5.0, 1e-8, 0.0]]))
    np.testing.assert_allclose(atol, 1e-9 * np.array([[2.0, 1e-8, 1.0], [2.0, 4.0, 1.0], [5.0, 1e-8, 1.0]]))
