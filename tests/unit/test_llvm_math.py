"""Elementary functions of the compiled back end against extended precision."""

from __future__ import annotations

import ctypes
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from llvmlite import binding

from bonesim.codegen.backends import llvm_tables
from bonesim.codegen.backends.llvm_math import functions
from bonesim.codegen.backends.llvm_numbers import LARGEST_EXPONENT, WITH_AVX512
from bonesim.codegen.backends.llvm_object import _target, compiled, vector_width


@dataclass(frozen=True)
class Functions:
    """The functions on vectors of some width, compiled; `map_NAME` reads and writes memory."""

    engine: Any
    width: int


@pytest.fixture(scope="module", params=[width for width in (2, 4, 8) if width <= vector_width()])
def engine(request: pytest.FixtureRequest) -> Functions:
    vector = f"<{request.param} x double>"
    load = f"load {vector}, ptr"
    wrappers = "".join(
        f"define void @map_{name}(ptr %a, ptr %out) {{\n  %x = {load} %a, align 8\n"
        f"  %r = call {vector} @{name}({vector} %x)\n  store {vector} %r, ptr %out, align 8\n  ret void\n}}\n"
        for name in ("exp", "ln", "tanh", "reciprocal", "exp_of", "ln_of")
    )
    wrappers += (
        f"define void @map_pow(ptr %a, ptr %b, ptr %out) {{\n  %x = {load} %a, align 8\n  %y = {load} %b, align 8\n"
        f"  %r = call {vector} @pow({vector} %x, {vector} %y)\n  store {vector} %r, ptr %out, align 8\n  ret void\n}}\n"
    )
    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), _target())
    engine.add_object_file(binding.ObjectFileRef.from_data(compiled(functions(request.param) + wrappers)))
    engine.finalize_object()
    return Functions(engine, request.param)


def apply(engine: Functions, name: str, *arguments: np.ndarray) -> np.ndarray:
    """One compiled function over arrays whose length is a multiple of the vector's."""
    kind = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * (len(arguments) + 1))
    function = kind(engine.engine.get_function_address(f"map_{name}"))
    out = np.empty_like(arguments[0])
    for start in range(0, len(out), engine.width):
        function(*(array[start:].ctypes.data for array in (*arguments, out)))
    return out


def ulps(found: np.ndarray, exact: np.ndarray) -> float:
    """Largest error in units in the last place of the exact value."""
    return float(np.max(np.abs((found - exact) / np.spacing(np.abs(exact).astype(float)).astype(np.longdouble))))


def test_exp_is_within_two_units_in_the_last_place(engine: Functions) -> None:
    x = np.random.default_rng(1).uniform(-700, 700, 40_000)
    assert ulps(apply(engine, "exp", x), np.exp(x.astype(np.longdouble))) < 2


def test_ln_is_within_two_units_in_the_last_place(engine: Functions) -> None:
    rng = np.random.default_rng(2)
    x = np.concatenate([np.exp(rng.uniform(-700, 700, 20_000)), 1 + rng.uniform(-0.3, 0.4, 20_000)])
    assert ulps(apply(engine, "ln", x), np.log(x.astype(np.longdouble))) < 2


def test_ln_keeps_its_digits_on_both_sides_of_1_and_where_tables_change_rows(engine: Functions) -> None:
    edges = np.concatenate([np.arange(0.5, 2, 1 / 64), 1 + np.logspace(-15, -2, 400), 1 - np.logspace(-15, -2, 400)])
    x = np.concatenate([edges, np.nextafter(edges, 0), np.nextafter(edges, 9)])
    x = x[: len(x) // 8 * 8]
    assert ulps(apply(engine, "ln", x), np.log(x.astype(np.longdouble))) < 2


def test_exp_keeps_its_digits_where_tables_change_rows(engine: Functions) -> None:
    edges = math.log(2) * np.arange(-160.5, 160, 1) / 16
    x = np.concatenate([edges, np.nextafter(edges, -99), np.nextafter(edges, 99)])
    x = x[: len(x) // 8 * 8]
    assert ulps(apply(engine, "exp", x), np.exp(x.astype(np.longdouble))) < 2


def test_tables_are_what_they_say() -> None:
    np.testing.assert_array_equal(llvm_tables.ROOTS, [float(np.exp2(np.longdouble(j) / 16)) for j in range(16)])
    logarithms = -np.log(np.array(llvm_tables.INVERSES, np.longdouble))
    np.testing.assert_array_less(
        np.abs(logarithms - llvm_tables.LOGARITHMS), np.spacing(np.abs(llvm_tables.LOGARITHMS) + 1e-300) / 64
    )
    cells = np.concatenate([1 + np.arange(8) / 16, (1.5 + np.arange(8) / 16) / 2])
    widths = np.repeat([1 / 16, 1 / 32], 8)
    for mantissa in (cells, cells + widths):
        rest = mantissa * llvm_tables.INVERSES - 1
        assert np.all((rest >= -1 / 32) & (rest <= 1 / 16))


def test_pow_keeps_the_digits_that_its_exponent_leaves(engine: Functions) -> None:
    """x^y = exp(y ln x): an error of one unit in ln x grows by |y ln x|."""
    rng = np.random.default_rng(3)
    x, y = np.exp(rng.uniform(-20, 20, 40_000)), rng.uniform(-10, 10, 40_000)
    exact = np.power(x.astype(np.longdouble), y.astype(np.longdouble))
    error = np.abs(apply(engine, "pow", x, y) / exact - 1)
    assert np.all(error < np.finfo(float).eps * (2 + 2 * np.abs(y * np.log(x))))


@pytest.mark.parametrize(
    ("x", "value"),
    [(1000.0, math.inf), (-1000.0, 0.0), (0.0, 1.0), (math.inf, math.inf), (-math.inf, 0.0), (math.nan, math.nan)],
)
def test_exp_at_the_edges(engine: Functions, x: float, value: float) -> None:
    np.testing.assert_array_equal(apply(engine, "exp", np.full(engine.width, x)), np.full(engine.width, value))


def test_tanh_is_within_three_units_in_the_last_place(engine: Functions) -> None:
    rng = np.random.default_rng(4)
    x = np.concatenate([rng.uniform(-25, 25, 20_000), np.exp(rng.uniform(-300, 3, 20_000))])
    assert ulps(apply(engine, "tanh", x), np.tanh(x.astype(np.longdouble))) < 3


@pytest.mark.parametrize(
    ("x", "value"), [(0.0, 0.0), (400.0, 1.0), (-400.0, -1.0), (math.inf, 1.0), (-math.inf, -1.0), (math.nan, math.nan)]
)
def test_tanh_at_the_edges(engine: Functions, x: float, value: float) -> None:
    np.testing.assert_array_equal(apply(engine, "tanh", np.full(engine.width, x)), np.full(engine.width, value))


def test_reciprocal_is_within_one_unit_in_the_last_place(engine: Functions) -> None:
    rng = np.random.default_rng(5)
    x = np.exp(rng.uniform(-690, 690, 40_000)) * rng.choice([-1.0, 1.0], 40_000)
    assert ulps(apply(engine, "reciprocal", x), 1 / x.astype(np.longdouble)) < 1


@pytest.mark.parametrize(("x", "least", "most"), [(1e-300, 1e300, 1e300), (math.inf, 0.0, 1e-300)])
def test_reciprocal_at_the_edges(engine: Functions, x: float, least: float, most: float) -> None:
    found = apply(engine, "reciprocal", np.full(engine.width, x))
    assert np.all((least * (1 - 1e-15) <= found) & (found <= most * (1 + 1e-15)))


def test_reciprocal_of_what_is_no_number_is_none(engine: Functions) -> None:
    assert np.isnan(apply(engine, "reciprocal", np.full(engine.width, math.nan))).all()


@pytest.mark.parametrize(
    ("x", "value"),
    [(0.0, -math.inf), (1.0, 0.0), (-1.0, math.nan), (math.inf, math.inf), (math.nan, math.nan)],
)
def test_ln_at_the_edges(engine: Functions, x: float, value: float) -> None:
    np.testing.assert_array_equal(apply(engine, "ln", np.full(engine.width, x)), np.full(engine.width, value))


@pytest.mark.parametrize(
    ("x", "y", "value"),
    [
        (0.0, 2.5, 0.0),
        (0.0, 0.0, 1.0),
        (0.0, -1.0, math.inf),
        (-8.0, 1.0, -8.0),
        (-2.0, 2.0, 4.0),
        (-2.0, 3.0, -8.0),
        (-2.0, 0.5, math.nan),
        (math.nan, 2.0, math.nan),
        (3.0, math.nan, math.nan),
    ],
)
def test_pow_at_the_edges(engine: Functions, x: float, y: float, value: float) -> None:
    found = apply(engine, "pow", np.full(engine.width, x), np.full(engine.width, y))
    np.testing.assert_allclose(found, np.full(engine.width, value), rtol=4 * np.finfo(float).eps)


def test_a_neighbour_at_an_edge_changes_no_bit(engine: Functions) -> None:
    """A lane out of the ordinary, beside others that are not."""
    x, y = np.resize([0.3, 2.5, 7.0, 1e-5], engine.width), np.resize([1.0, 2.0, -0.7, 3.1], engine.width)
    alone = apply(engine, "pow", x, y)
    for lane in range(engine.width):
        beside = x.copy()
        beside[lane] = -1.0
        kept = np.arange(engine.width) != lane
        np.testing.assert_array_equal(apply(engine, "pow", beside, y)[kept], alone[kept])


TINIEST, SMALLEST = 5e-324, float(np.finfo(float).tiny)
BASES = [0.0, -0.0, TINIEST, 1e-310, SMALLEST, 1e-300, 0.3, 1 - 1e-16, 1.0, 2.0, 7e5, 1e308, math.inf]
BASES += [-TINIEST, -0.3, -1.0, -2.0, -1e308, -math.inf, math.nan, -math.nan]
EXPONENTS = [0.0, -0.0, 1e-320, 0.3, 1.0, 2.0, 3.0, 1e300, math.inf]
EXPONENTS += [-1e-320, -0.3, -1.0, -2.0, -3.0, -1e300, -math.inf, math.nan]


def test_what_passes_for_an_ordinary_power_is_one(engine: Functions) -> None:
    """Equations look at exponents, and without the tables at bases, and take all others the careful way."""
    pairs = np.array([(x, y) for x in BASES for y in EXPONENTS for _ in range(engine.width)])
    x, y = pairs.T.copy()
    with np.errstate(all="ignore"):
        exponent = y * apply(engine, "ln_of", x)
    ordinary = exponent < LARGEST_EXPONENT
    if engine.width != WITH_AVX512:
        ordinary &= (x >= 0) & (x < math.inf) & ~np.signbit(x)
    quick, careful = apply(engine, "exp_of", exponent), apply(engine, "pow", x, y)
    np.testing.assert_array_equal(quick[ordinary], careful[ordinary])
    assert not ordinary[(x < 0) | np.isnan(x)].any()
    assert ordinary[(x > 0.1) & (x < 1e6) & (np.abs(y) < 4)].all()


def test_logarithms_of_what_is_all_but_0(engine: Functions) -> None:
    x = np.repeat([TINIEST, 1e-310, SMALLEST], 8)
    least = TINIEST if engine.width == WITH_AVX512 else SMALLEST  # what is less counts as that
    assert ulps(apply(engine, "ln", x), np.log(np.maximum(x, least).astype(np.longdouble))) < 2


def test_an_ordinary_power_has_the_bits_of_its_quick_form(engine: Functions) -> None:
    """exp of b ln a, as equations take powers where no lane is out of the ordinary; far below 1 it is 0 in both."""
    rng = np.random.default_rng(6)
    x, y = np.exp(rng.uniform(-300, 300, 40_000)), rng.uniform(-4, 4, 40_000)
    exponent = y * apply(engine, "ln", x)
    fits = exponent < 708
    np.testing.assert_array_equal(apply(engine, "pow", x, y)[fits], apply(engine, "exp", exponent)[fits])
    assert np.all(apply(engine, "pow", x, y)[exponent <= -708] == 0)
