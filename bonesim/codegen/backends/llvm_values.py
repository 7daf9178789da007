"""Vectors and masks of generated code as Python values: `where(h * 1.5 >= left, left, h)` writes LLVM text.

Every operator appends one instruction to the body it came from. A `Vector` holds a number for each lane, a `Mask` a
truth value; what shall live longer than a block of code is kept in a row of the workspace.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

from bonesim.codegen.backends.llvm_io import PLACES
from bonesim.codegen.backends.llvm_numbers import splat
from bonesim.codegen.backends.llvm_text import ARGUMENTS, Body

Number: TypeAlias = "Vector | float"

PRECISIONS = (("float", "f32"), ("double", "f64"))
"""Kinds of numbers that outputs are written in, with their suffix in names of LLVM's functions."""


class Code(Body):
    """A function body whose rows of the workspace read and write as `code[row]`."""

    def __getitem__(self, row: int | str) -> Vector:
        return Vector(self, self.load(row))

    def __setitem__(self, row: int | str, value: Number) -> None:
        self.store(_name(value), row)

    def mask(self, row: int) -> Mask:
        """The truth values that a row holds as 1 and 0."""
        return self[row].differs(0.0)

    def put(self, row: int | str, where: Mask, value: Number) -> None:
        """Change a row in the lanes where a mask holds.

        The store is volatile so that LLVM does not make a masked store of it, which AMD processors do in microcode.
        """
        chosen, address = where.where(value, self[row]), self.row(row)
        self.lines.append(f"  store volatile {self.vector} {chosen.name}, ptr {address}, align {8 * self.width}")

    def at(self, first: int, index: str) -> str:
        """The row `index` places behind the row `first`."""
        return self.let(f"add i64 {index}, {first}")

    def constant(self, value: float) -> Vector:
        """The same number in every lane."""
        return Vector(self, splat(value))

    def word(self, field: str, kind: str) -> str:
        """A field of the table that the caller hands over."""
        return self.let(f"load {kind}, ptr {self.let(f'getelementptr inbounds i64, ptr %io, i64 {PLACES[field]}')}")

    def lane_count(self, index: str) -> Vector:
        """A whole number, the i64 `index`, as a double in every lane."""
        return self.splat(self.let(f"sitofp i64 {index} to double"))

    def double(self, field: str) -> Vector:
        """A number of the table, in every lane."""
        return self.splat(self.word(field, "double"))

    def splat(self, scalar: str) -> Vector:
        """A double in every lane."""
        one = self.let(f"insertelement {self.vector} poison, double {scalar}, i64 0")
        zeros = f"<{self.width} x i32> zeroinitializer"
        return Vector(self, self.let(f"shufflevector {self.vector} {one}, {self.vector} poison, {zeros}"))

    def cell(self, row: int | str, lane: str) -> str:
        """Address of one lane's place in a row."""
        index = self.let(f"add i64 {self.let(f'mul i64 {row}, {self.width}')}, {lane}")
        return self.let(f"getelementptr inbounds double, ptr %ws, i64 {index}")

    def get(self, row: int | str, lane: str, kind: str = "double") -> str:
        """One lane's number, as a scalar."""
        return self.let(f"load {kind}, ptr {self.cell(row, lane)}")

    def set(self, row: int | str, lane: str, value: str, kind: str = "double") -> None:
        """Give one lane a number."""
        self.lines.append(f"  store {kind} {value}, ptr {self.cell(row, lane)}")

    def fetch(self, field: str, index: str, kind: str = "double") -> str:
        """An element of an array of the caller."""
        return self.let(f"load {kind}, ptr {self._element(field, index, kind)}")

    def fetch_vector(self, field: str, index: str) -> Vector:
        """As many elements of an array of the caller as there are lanes, from `index` on."""
        return Vector(self, self.let(f"load {self.vector}, ptr {self._element(field, index, 'double')}, align 8"))

    def send(self, field: str, index: str, value: str, kind: str = "double") -> None:
        """Write an element of an array of the caller."""
        self.lines.append(f"  store {kind} {value}, ptr {self._element(field, index, kind)}")

    def plane(self, row: int | str, member: str) -> str:
        """Place of a member in row `row` of a (row, member) array of the caller."""
        members = self.word("members", "i64")
        return self.let(f"add i64 {self.let(f'mul i64 {row}, {members}')}, {member}")

    def get_integers(self, row: int) -> str:
        """A row that holds integers."""
        return self.let(f"load {self.integers}, ptr {self.row(row)}, align {8 * self.width}")

    def put_integers(self, row: int, value: str) -> None:
        """Put integers into a row."""
        address = self.row(row)
        self.lines.append(f"  store {self.integers} {value}, ptr {address}, align {8 * self.width}")

    def splat_integer(self, scalar: str) -> str:
        """An i64 in every lane."""
        one = self.let(f"insertelement {self.integers} poison, i64 {scalar}, i64 0")
        zeros = f"<{self.width} x i32> zeroinitializer"
        return self.let(f"shufflevector {self.integers} {one}, {self.integers} poison, {zeros}")

    def gather(self, field: str, index: str) -> Vector:
        """For each lane the element of an array of the caller that `index` names."""
        result = "poison"
        for lane in range(self.width):
            value = self.fetch(field, self.let(f"extractelement {self.integers} {index}, i64 {lane}"))
            result = self.let(f"insertelement {self.vector} {result}, double {value}, i64 {lane}")
        return Vector(self, result)

    def scatter(self, values: str, addresses: str, kind: str) -> None:
        """Write each lane's value to its address, an integer."""
        for lane in range(self.width):
            value = self.let(f"extractelement <{self.width} x {kind}> {values}, i64 {lane}")
            place = self.let(f"extractelement {self.integers} {addresses}, i64 {lane}")
            pointer = self.let(f"inttoptr i64 {place} to ptr")
            self.lines.append(f"  store {kind} {value}, ptr {pointer}")

    def each_precision(self) -> Iterator[tuple[str, str]]:
        """Lines written meanwhile run for the kind of number that the caller wants outputs in: its name, its suffix."""
        for kind, suffix in PRECISIONS:
            with self.when(self.let(f"icmp eq i64 {self.word('single', 'i64')}, {int(kind == 'float')}")):
                yield kind, suffix

    def _element(self, field: str, index: str, kind: str) -> str:
        return self.let(f"getelementptr inbounds {kind}, ptr {self.word(field, 'ptr')}, i64 {index}")

    def run(self, function: str, *more: str) -> None:
        """Call another function of this module on the same workspace, with further arguments if it takes any."""
        self.lines.append(f"  call void @{function}({', '.join(('ptr %ws', 'ptr %io', *more))})")

    @contextmanager
    def marked(self, row: int, lane: str) -> Iterator[None]:
        """Lines inside run only for a lane in which a row is not 0."""
        with self.when(self.let(f"fcmp une double {self.get(row, lane)}, 0.0")):
            yield

    @contextmanager
    def forever(self) -> Iterator[Round]:
        """Lines inside run again and again until the round is left."""
        self._count += 1
        label = f"r{self._count}"
        self.lines += [f"  br label %{label}", f"{label}:"]
        yield Round(self, f"{label}_end")
        self.lines += [f"  br label %{label}", f"{label}_end:"]


LANE_ARGUMENTS = f"{ARGUMENTS}, i64 %lane"


class Along(Code):
    """A body whose vectors run along the output times of one lane, `%lane`.

    A row outside `own` holds a number of each lane, as everywhere; that of this lane is read into every element.
    """

    def __init__(self, width: int, own: Container[int]) -> None:
        super().__init__(width)
        self._own = own

    def load(self, row: int | str) -> str:
        """A row of its own, or this lane's number."""
        return self.load_whole(row) if row in self._own else self.splat(self.get(row, "%lane")).name

    def load_whole(self, row: int | str) -> str:
        """A row as it is."""
        return super().load(row)


@dataclass(frozen=True)
class Round:
    """One pass of an endless loop."""

    code: Code
    end: str

    def leave(self, condition: str) -> None:
        """Go on behind the loop if the i1 `condition` is true."""
        self.code._count += 1
        on = f"o{self.code._count}"
        self.code.lines += [f"  br i1 {condition}, label %{self.end}, label %{on}", f"{on}:"]


@dataclass(frozen=True, eq=False)
class Vector:
    """A number for each lane; arithmetic is that of IEEE 754, nothing is fused."""

    body: Body
    name: str

    def __add__(self, other: Number) -> Vector:
        return self._binary("fadd", other)

    def __sub__(self, other: Number) -> Vector:
        return self._binary("fsub", other)

    def __mul__(self, other: Number) -> Vector:
        return self._binary("fmul", other)

    def __truediv__(self, other: Number) -> Vector:
        return self._binary("fdiv", other)

    def __lt__(self, other: Number) -> Mask:
        return self._compare("olt", other)

    def __le__(self, other: Number) -> Mask:
        return self._compare("ole", other)

    def __gt__(self, other: Number) -> Mask:
        return self._compare("ogt", other)

    def __ge__(self, other: Number) -> Mask:
        return self._compare("oge", other)

    def equals(self, other: Number) -> Mask:
        """Where both are the same number."""
        return self._compare("oeq", other)

    def differs(self, other: Number) -> Mask:
        """Where they are different, or one is not a number."""
        return self._compare("une", other)

    def __neg__(self) -> Vector:
        return Vector(self.body, self.body.let(f"fneg {self.body.vector} {self.name}"))

    def __abs__(self) -> Vector:
        return Vector(self.body, self.body.intrinsic("fabs", self.name))

    @property
    def finite(self) -> Mask:
        """Where it is neither infinite nor not a number."""
        return (self - self).equals(0.0)

    @property
    def reciprocal(self) -> Vector:
        """1 over it, to one unit in the last place; that of 0 may be NaN."""
        return Vector(self.body, self.body.call("@reciprocal", self.name))

    def fma(self, factor: Vector, addend: Vector) -> Vector:
        """self factor + addend, rounded once."""
        return Vector(self.body, self.body.fma(self.name, factor.name, addend.name))

    def _binary(self, operation: str, other: Number) -> Vector:
        return Vector(self.body, self.body.binary(operation, self.name, _name(other)))

    def _compare(self, order: str, other: Number) -> Mask:
        return Mask(self.body, self.body.let(f"fcmp {order} {self.body.vector} {self.name}, {_name(other)}"))


@dataclass(frozen=True, eq=False)
class Mask:
    """A truth value for each lane."""

    body: Body
    name: str

    def __and__(self, other: Mask) -> Mask:
        return self._binary("and", other.name)

    def __or__(self, other: Mask) -> Mask:
        return self._binary("or", other.name)

    def __invert__(self) -> Mask:
        return self._binary("xor", "splat (i1 true)")

    def where(self, yes: Number, no: Number) -> Vector:
        """`yes` in lanes where the mask holds, `no` elsewhere."""
        return Vector(self.body, self.body.select(self.name, _name(yes), _name(no)))

    @property
    def number(self) -> Vector:
        """1 where it holds, 0 elsewhere."""
        return self.where(1.0, 0.0)

    @property
    def all(self) -> str:
        """Whether it holds in every lane, as an i1."""
        return self.body.let(f"xor i1 {(~self).any}, true")

    @property
    def any(self) -> str:
        """Whether it holds in some lane, as an i1."""
        return self.body.let(f"icmp ne i{self.body.width} {self._bits}, 0")

    @property
    def count(self) -> str:
        """In how many lanes it holds, as an i64."""
        kind = f"i{self.body.width}"
        return self.body.let(
            f"zext {kind} {self.body.let(f'call {kind} @llvm.ctpop.{kind}({kind} {self._bits})')} to i64"
        )

    @property
    def _bits(self) -> str:
        return self.body.let(f"bitcast {self.body.booleans} {self.name} to i{self.body.width}")

    def _binary(self, operation: str, other: str) -> Mask:
        return Mask(self.body, self.body.let(f"{operation} {self.body.booleans} {self.name}, {other}"))


def smaller(a: Vector, b: Number) -> Vector:
    """The smaller of two; `a` where they cannot be compared."""
    return (a > b).where(b, a)


def larger(a: Vector, b: Number) -> Vector:
    """The larger of two; `a` where they cannot be compared."""
    return (a < b).where(b, a)


def _name(value: Number) -> str:
    return value.name if isinstance(value, Vector) else splat(value)


@dataclass
class Carried:
    """A vector that a loop carries: its `value` in this pass and in the `next`; behind the loop, the last one."""

    value: Vector
    next: Vector


@contextmanager
def carried(code: Code, end: int | str, first: int | str, *starts: Vector) -> Iterator[tuple[str, list[Carried]]]:
    """Lines inside run for the i64 values from `first` up to `end`, each with what is carried so far.

    In registers: what goes through a row of the workspace waits for memory in every pass.
    """
    with code.loop(end, first) as i:
        label = i.removesuffix("_i")
        place = len(code.lines)
        sofar = [Carried(Vector(code, f"{label}_sofar{number}"), start) for number, start in enumerate(starts)]
        yield i, sofar
        phis = [
            f"phi {code.vector} [ {start.name}, {label}_before ], [ {one.next.name}, {label}_next ]"
            for start, one in zip(starts, sofar, strict=True)
        ]
        code.lines[place:place] = [f"  {one.value.name} = {phi}" for one, phi in zip(sofar, phis, strict=True)]
    for one, phi in zip(sofar, phis, strict=True):
        one.value = Vector(code, code.let(phi))
