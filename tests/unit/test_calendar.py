"""When the timed events of a batch happen: in order, one column a member, or one for all that share it."""

from __future__ import annotations

import numpy as np
from equations import Row, batch_of, event, kernels_of, model

from bonesim.solve.calendar import CHUNK, calendar
from bonesim.system import Batch, Kernels

ODE = model(
    {"x": (0, "-k*x")},
    {"k": 1.0, "gap": 1.0},
    events=[event(0.5, every="gap", count=3, x="x + 1"), event(2.5, k="2*k")],
)


def doses(**rows: Row) -> tuple[Kernels, Batch]:
    kernels = kernels_of(ODE)
    return kernels, batch_of(kernels, ODE, [0.0, 9.0], **rows)


def test_events_stand_in_order_those_of_one_time_in_that_of_the_model() -> None:
    times, which = calendar(*doses(gap=[1.0, 0.5, 4.0, -0.25]))
    assert times.T.tolist() == [
        [0.5, 1.5, 2.5, 2.5, np.inf],
        [0.5, 1.0, 1.5, 2.5, np.inf],
        [0.5, 2.5, 4.5, 8.5, np.inf],
        [0.0, 0.25, 0.5, 2.5, np.inf],
    ]
    assert which.T.tolist() == [[0, 0, 0, 1, -1], [0, 0, 0, 1, -1], [0, 1, 0, 0, -1], [0, 0, 0, 1, -1]]


def test_members_that_share_their_times_share_a_column() -> None:
    alone, shared = calendar(*doses()), calendar(*doses(k=np.linspace(1, 2, 1000)))
    for one, column in zip(alone, shared, strict=True):
        assert column.shape == (5, 1000)
        assert column.strides[1] == 0
        np.testing.assert_array_equal(column[:, [0, -1]], np.repeat(one, 2, axis=1))


def test_a_member_has_the_same_times_beside_any_number_of_others() -> None:
    gap = np.linspace(0.1, 3.0, CHUNK + 44)
    gap[CHUNK + 1] = np.nan
    kernels, batch = doses(gap=gap)
    together = calendar(kernels, batch)
    for member in (0, CHUNK - 1, CHUNK, CHUNK + 1, CHUNK + 43):
        alone = calendar(kernels, batch.part(slice(member, member + 1)))
        for one, column in zip(alone, together, strict=True):
            np.testing.assert_array_equal(column[:, [member]], one)
