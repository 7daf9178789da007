"""When a dose is given: the times of its administrations, and the levels of overlapping infusions.

Administration :math:`k` of a schedule begins at

.. math:: t_k = t_{start} + k \\, \\Delta t, \\qquad k = 0 \\dots n - 1

and, if it is an infusion, ends at :math:`t_k` plus its length. All of it is exact arithmetic on the decimal numbers
as written, rounded once at the end.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from bonesim.units import Quantity, Unit

DAY = Unit.parse("day")

NEGLIGIBLE = Fraction(1, 1_000_000)
"""Part of a recording interval that is not worth a point of its own before the end."""


@dataclass(frozen=True)
class DoseAdministration:
    """One administration of a dose.

    Parameters
    ----------
    time_day
        When it begins, days.
    over_day
        How long it lasts, days; 0 for a bolus.
    end_day
        When it ends, days: the sum of the two, rounded once, so that an infusion begins exactly where one that is
        given right before it ends.
    """

    time_day: float
    over_day: float
    end_day: float

    @property
    def is_bolus(self) -> bool:
        """Whether all of it is given at once."""
        return self.over_day == 0.0

    def rate(self, amount: float) -> float:
        """The rate, amount per day, that delivers `amount` between the two rounded times.

        Raises
        ------
        ValueError
            If this is a bolus, which has no rate.
        """
        if self.is_bolus:
            raise ValueError("a bolus has no rate")
        return amount / (self.end_day - self.time_day)


def exact_days(quantity: Quantity) -> Fraction:
    """A time in days as an exact fraction of the decimal number that was written.

    The decimal is taken, not the binary number nearest to it: three times `0.1 day` is then `0.3 day`.

    Raises
    ------
    InputError
        If `quantity` is no time.
    """
    return Fraction(repr(quantity.value)) * Fraction(quantity.unit.ratio_to(DAY))


def dose_times(
    start: Quantity, every: Quantity | None = None, count: int = 1, over: Quantity | None = None
) -> tuple[DoseAdministration, ...]:
    """The administrations of one dose, in order of time.

    Parameters
    ----------
    start
        When the first begins.
    every
        Time from the beginning of one to the beginning of the next; needed if there is more than one.
    count
        How many there are, at least 1.
    over
        How long each is infused; None for a bolus.

    Raises
    ------
    ValueError
        If `count` is below 1, or above 1 without `every`.
    InputError
        If one of the quantities is no time.
    """
    if count < 1 or (count > 1 and every is None):
        raise ValueError(f"{count} administrations every {every}")
    first, length = exact_days(start), exact_days(over) if over else Fraction(0)
    interval = exact_days(every) if every else Fraction(0)
    begins = _even_times(first, interval, count)
    ends = _even_times(first + length, interval, count)
    return tuple(DoseAdministration(begin, float(length), end) for begin, end in zip(begins, ends, strict=True))


def record_times(duration: Quantity, every: Quantity) -> tuple[float, ...]:
    """Days at which a run is recorded: 0, then one every `every`, and the end, which always belongs to it.

    An interval that fits into the duration but for its last digit (a third of a day) leaves no sliver at the end.

    Raises
    ------
    InputError
        If one of the quantities is no time.
    """
    end, interval = exact_days(duration), exact_days(every)
    inner = _even_times(Fraction(0), interval, math.ceil(end / interval - NEGLIGIBLE))
    return (*inner, float(end))


def infusion_levels(infusions: Iterable[tuple[DoseAdministration, float]]) -> list[tuple[float, float]]:
    """Times and total rates of infusions that may overlap; each rate holds until the next time.

    Each level is summed anew over the infusions that run then, instead of adding and subtracting steps: the level
    after the last end is exactly 0, and none is left over between two that do not touch.

    Parameters
    ----------
    infusions
        Administrations with their rates, amount per day; none may be a bolus.

    Returns
    -------
    list of (time in days, rate in amount per day)
        In order of time; an end and a beginning at the same time make one level.
    """
    begins: dict[float, list[tuple[int, float]]] = {}
    ends: dict[float, list[int]] = {}
    for number, (one, rate) in enumerate(infusions):
        if one.is_bolus:
            raise ValueError("a bolus has no rate")
        begins.setdefault(one.time_day, []).append((number, rate))
        ends.setdefault(one.end_day, []).append(number)
    running: dict[int, float] = {}
    levels = []
    for edge in sorted({*begins, *ends}):
        running.update(begins.get(edge, ()))
        for number in ends.get(edge, ()):
            del running[number]
        levels.append((edge, math.fsum(running.values())))
    return levels


def _even_times(first: Fraction, interval: Fraction, count: int) -> list[float]:
    """`first + k interval` for k = 0 ... count - 1, each rounded once: whole numbers over one denominator."""
    denominator = math.lcm(first.denominator, interval.denominator)
    start, step = int(first * denominator), int(interval * denominator)
    return [(start + k * step) / denominator for k in range(count)]
