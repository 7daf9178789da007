"""What the caller of compiled code hands over: one table of numbers and addresses, the same for all threads."""

from __future__ import annotations

import ctypes

import numpy as np


class Call(ctypes.Structure):
    """The arrays of a run, their sizes, and what holds for all members; see `system.Batch` and `solve.Solution`.

    `t_out` is closed by infinity; `next` is the member that is taken next, shared by all threads;
    `fault` is (3, member): what ended it, its error over tolerance, the step size. `owned` keeps the arrays alive.
    """

    owned: tuple[object, ...] = ()

    _fields_ = (
        ("members", ctypes.c_int64),
        ("times", ctypes.c_int64),
        ("single", ctypes.c_int64),
        ("max_steps", ctypes.c_double),
        ("rtol", ctypes.c_double),
        ("start", ctypes.c_double),
        ("end", ctypes.c_double),
        *(
            (name, ctypes.c_void_p)
            for name in (
                "next",
                "t_out",
                "parameters",
                "initial",
                "atol",
                "out",
                "last",
                "status",
                "stop_time",
                "steps",
                "rejected",
                "fault",
            )
        ),
    )


PLACES = {field[0]: place for place, field in enumerate(Call._fields_)}
"""Which of the table's words, of eight bytes each, holds a field."""


def address(array: np.ndarray, kind: type) -> int:
    """Where an array begins; it must lie in one piece and hold numbers of the kind that the compiled code expects."""
    if not array.flags.c_contiguous or array.dtype != np.dtype(kind):
        raise ValueError(f"an array of {array.dtype} that is not contiguous {np.dtype(kind)}")
    return int(array.ctypes.data)
