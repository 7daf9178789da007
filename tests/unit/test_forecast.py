"""What a sweep is told to take, beside what it takes, and what is refused before any work."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from questions import bolus, swept

import bonesim
from bonesim.errors import InputError
from bonesim.scenario.schema import Scenario
from bonesim.sweep.forecast import Forecast, available_memory, forecast, in_words
from bonesim.sweep.plan import plan

FORECAST = sys.modules["bonesim.sweep.forecast"]


def drawn(members: int, **settings: str) -> Scenario:
    scenario = swept((bolus(),), {"doses[0].amount": "{low: 1 ug, high: 500 ug}"}, members=members)
    return scenario.model_copy(update=settings)


def forecast_of(scenario: Scenario, dtype: str = "float32") -> Forecast:
    planned = plan(scenario)
    return forecast(planned, planned.chunks, len(scenario.outputs), dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_store_is_not_larger_than_was_said(dtype: str, tmp_path: Path) -> None:
    scenario = drawn(200)
    bonesim.sweep(scenario, out=tmp_path / "s.zarr", dtype=dtype)
    written = 512 * sum(path.stat().st_blocks for path in (tmp_path / "s.zarr").rglob("*"))
    assert 0 < written < forecast_of(scenario, dtype).store


def test_twice_the_members_take_twice_the_room() -> None:
    # Both have 16 chunks, hence as many files and folders.
    few, many = (forecast_of(drawn(members)) for members in (16 * 500, 16 * 1000))
    outputs, times = few.outputs, few.times
    member = 2 * (outputs * (4 * times + 5 * 8) + 17) + 8
    assert many.store - few.store == 16 * 500 * member
    assert (few.members, few.arms, many.missing) == (8000, 2, 16000)


def test_what_is_done_takes_no_room() -> None:
    planned = plan(drawn(16 * 100))
    whole, half = (forecast(planned, chunks, 2, "float32") for chunks in (planned.chunks, planned.chunks[8:]))
    # What has begun has its arrays and coordinates: 2 outputs with 5 summaries, 3 of ends, 4 coordinates.
    assert half.store * 2 == whole.store - 3 * 4096 * (2 * 6 + 3 + 4)
    assert "; 800 members done; " in half.text
    assert forecast(planned, [], 2, "float32").store == 0


def test_a_full_disk_is_told_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = drawn(16)
    needed = forecast_of(scenario).store
    free = shutil.disk_usage(tmp_path)._replace(free=needed - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: free)
    out = tmp_path / "new" / "s.zarr"
    with pytest.raises(InputError) as caught:
        bonesim.sweep(scenario, out=out)
    size = in_words(needed)
    assert str(caught.value) == (
        f"{out}: the store may take {size}, and {size} are free there\n"
        "  try: another disk, fewer members or outputs, or a longer record.every"
    )
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: free._replace(free=needed))
    assert bonesim.sweep(scenario, out=out).sizes["member"] == 16


def test_too_little_memory_is_told_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FORECAST, "available_memory", lambda: 100_000_000)
    with pytest.raises(InputError) as caught:
        bonesim.sweep(drawn(16), out=tmp_path / "s.zarr")
    assert str(caught.value) == (
        "--set sweep: the sweep needs 250 MB of memory, and 100 MB are free\n"
        "  try: fewer members or outputs, or a longer record.every"
    )
    assert list(tmp_path.iterdir()) == []


def test_where_the_system_does_not_say_its_memory_nothing_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FORECAST, "available_memory", lambda: None)
    assert bonesim.sweep(drawn(2), out=tmp_path / "s.zarr").sizes["member"] == 2


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="only Linux says it there")
def test_the_memory_that_can_be_had_is_between_nothing_and_all_there_is() -> None:
    total = 1024 * int(Path("/proc/meminfo").read_text().split("MemTotal:")[1].split()[0])
    assert 0 < (available_memory() or 0) <= total


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 kB"),
        (1234, "1.2 kB"),
        (98_765, "99 kB"),
        (250_000_000, "250 MB"),
        (999_400_000, "999 MB"),
        (999_600_000, "1 GB"),
        (3.2e12, "3.2 TB"),
        (4e15, "4000 TB"),
    ],
)
def test_sizes_in_words(size: float, words: str) -> None:
    assert in_words(size) == words
