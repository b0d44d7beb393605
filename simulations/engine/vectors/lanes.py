"""A thin layer that writes vector instructions into functions compiled by Numba.

A processor applies one instruction to `LANES` float32 numbers at once: 16 with AVX-512, 8 with AVX2.
Numba's compiler finds such instructions by itself in simple loops, but not in the blocked loops that
make a matrix product fast.  There we say exactly which ones we want:

    @instructions
    def add_scaled(v, y, start, factor, total):             # v writes instructions, see `Vectors`
        product = v.multiply(v.load(y, start), v.splat(factor))
        v.store(v.add(v.load(total, 0), product), total, 0)

    @njit
    def plain_numba(y, factor, total):
        for i in range(y.size // LANES):
            add_scaled(y, i * LANES, factor, total)         # LANES elements at once

The decorated function runs once, at compile time, and *writes* instructions instead of computing.  So
a Python loop in it unrolls; a loop that shall run at run time is `with v.loop(n) as i:`, and what
changes from turn to turn is kept in a `v.variable(...)`.  Arrays (C order, any shape) are addressed by
element offset; nothing checks the bounds.

After a change in this layer delete the `__pycache__` folders of its users (see `compilation`).  A REMANIFOLD_LANES
override switches caching off for this reason.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils, config
from numba.extending import intrinsic
from numpy.typing import NDArray

from ....conventions import arguments
from ..compilation import OVERRIDE

_FLOAT, _DOUBLE, _INT, _INDEX = ir.FloatType(), ir.DoubleType(), ir.IntType(32), ir.IntType(64)


def instruction_sets() -> set[str]:
    """What compiled code may use: all the processor has, unless NUMBA_CPU_NAME or NUMBA_CPU_FEATURES say otherwise."""
    given = config.CPU_FEATURES  # type: ignore[attr-defined]
    if given is None:
        return {name for name, present in llvm.get_host_cpu_features().items() if present}
    return {feature[1:] for feature in given.split(",") if feature.startswith("+")}


def _lanes() -> int:
    """Float32 numbers per vector: 16, 8, or 0 for a processor that has neither."""
    if OVERRIDE in os.environ:
        arguments.one_of(os.environ[OVERRIDE], ("0", "8", "16"), OVERRIDE)
        return int(os.environ[OVERRIDE])
    available = instruction_sets()
    return 16 if "avx512f" in available else 8 if {"avx2", "fma"} <= available else 0


LANES = _lanes()

# 2^f on [-1/2, 1/2] with the smallest relative error, 1.1e-7, that still gives 2^0 = 1.
_EXP2 = (
    1.0,
    0.6931470036506653,
    0.24022242426872253,
    0.05550733581185341,
    0.009671512991189957,
    0.001326472731307149,
)
_ROUND = 12582912.0  # 1.5·2^23: added to z, it leaves the integer nearest to z in the lowest bits
LOWEST_EXPONENT = -125.0  # 2^-125 is a normal float32 whatever the last bits of the polynomial


def aligned(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Zeros that begin at a cache line, so that no vector straddles two."""
    size = int(np.prod(shape))
    raw = np.zeros(size + 16, np.float32)
    first = -raw.ctypes.data % 64 // 4
    return raw[first : first + size].reshape(shape)


class Vectors:
    """Writes instructions on vectors of `lanes` float32 numbers at the builder's present position."""

    def __init__(self, builder: ir.IRBuilder, lanes: int = LANES):
        self.builder = builder
        self.lanes = lanes
        self.type = ir.VectorType(_FLOAT, lanes)
        self.doubles = ir.VectorType(_DOUBLE, lanes)
        self.integers = ir.VectorType(_INT, lanes)

    # ---- integers that count and address --------------------------------------------------------

    def index(self, value: Any) -> Any:
        """A Python int as a 64-bit integer of the compiled code; what is one already stays."""
        return ir.Constant(_INDEX, value) if isinstance(value, int) else value

    def sum(self, *terms: Any) -> Any:
        """Sum of integers."""
        constant = sum(term for term in terms if isinstance(term, int))
        total = None
        for term in terms:
            if not isinstance(term, int):
                total = term if total is None else self.builder.add(total, term)
        if total is None or constant:
            total = self.index(constant) if total is None else self.builder.add(total, self.index(constant))
        return total

    def product(self, left: Any, right: Any) -> Any:
        """Product of two integers."""
        return self.builder.mul(self.index(left), self.index(right))

    def equal(self, left: Any, right: Any) -> Any:
        """Whether two integers are equal; for `v.when`."""
        return self.builder.icmp_signed("==", self.index(left), self.index(right))

    # ---- memory ---------------------------------------------------------------------------------

    def _address(self, array: Any, offset: Any, kind: ir.Type) -> Any:
        """Address of element `offset` as a pointer to `kind`; a constant part of it costs nothing."""
        address = self.builder.gep(array, [self.index(offset)])
        return self.builder.bitcast(address, kind.as_pointer())

    def load(self, array: Any, offset: Any) -> Any:
        """`lanes` consecutive float32 elements."""
        return self.builder.load(self._address(array, offset, self.type), align=4)

    def store(self, vector: Any, array: Any, offset: Any) -> None:
        """Write `lanes` consecutive float32 elements."""
        self.builder.store(vector, self._address(array, offset, self.type), align=4)

    def load_doubles(self, array: Any, offset: Any) -> Any:
        """`lanes` consecutive float64 elements."""
        return self.builder.load(self._address(array, offset, self.doubles), align=8)

    def store_doubles(self, vector: Any, array: Any, offset: Any) -> None:
        """Write `lanes` consecutive float64 elements."""
        self.builder.store(vector, self._address(array, offset, self.doubles), align=8)

    def broadcast(self, array: Any, offset: Any) -> Any:
        """One float32 element in every lane."""
        return self.splat(self.builder.load(self._address(array, offset, _FLOAT), align=4))

    def prefetch(self, array: Any, offset: Any) -> None:
        """Ask for the cache line of a float32 element to be brought near; beyond the array it does nothing."""
        address = self._address(array, offset, ir.IntType(8))
        signature = ir.FunctionType(ir.VoidType(), [address.type, _INT, _INT, _INT])
        function = cgutils.get_or_insert_function(self.builder.module, signature, "llvm.prefetch.p0")
        read, second_level, data = (ir.Constant(_INT, number) for number in (0, 2, 1))
        self.builder.call(function, [address, read, second_level, data])

    # ---- vectors from numbers -------------------------------------------------------------------

    def constant(self, value: float) -> Any:
        """The same Python number in every lane."""
        return ir.Constant(self.type, [value] * self.lanes)

    def splat(self, scalar: Any) -> Any:
        """A float32 number of the compiled code in every lane."""
        empty = ir.Constant(self.type, ir.Undefined)
        one = self.builder.insert_element(empty, scalar, ir.Constant(_INT, 0))
        return self.builder.shuffle_vector(one, empty, ir.Constant(self.integers, [0] * self.lanes))

    # ---- arithmetic, lane by lane ---------------------------------------------------------------

    def add(self, a: Any, b: Any) -> Any:
        """Return a + b."""
        return self.builder.fadd(a, b)

    def subtract(self, a: Any, b: Any) -> Any:
        """Return a - b."""
        return self.builder.fsub(a, b)

    def multiply(self, a: Any, b: Any) -> Any:
        """Return a b."""
        return self.builder.fmul(a, b)

    def fma(self, a: Any, b: Any, c: Any) -> Any:
        """Return a b + c, rounded once."""
        name = f"llvm.fma.v{self.lanes}" + ("f32" if a.type == self.type else "f64")
        signature = ir.FunctionType(a.type, [a.type] * 3)
        return self.builder.call(cgutils.get_or_insert_function(self.builder.module, signature, name), [a, b, c])

    def negate(self, a: Any) -> Any:
        """Return -a; inside `fma` it costs nothing."""
        return self.builder.fneg(a)

    def maximum(self, a: Any, b: Any) -> Any:
        """The larger one; b if either is NaN."""
        return self.builder.select(self.builder.fcmp_ordered(">", a, b), a, b)

    def minimum(self, a: Any, b: Any) -> Any:
        """The smaller one; b if either is NaN."""
        return self.builder.select(self.builder.fcmp_ordered("<", a, b), a, b)

    def widen(self, a: Any) -> Any:
        """Float32 to float64."""
        return self.builder.fpext(a, self.doubles)

    def exp2(self, a: Any, scale: Any = None) -> Any:
        """2^(scale a) for LOWEST_EXPONENT ≤ scale a ≤ 127, scale = 1 if left out; relative error 2e-7.

        With k the integer nearest to z = scale a and f = z - k, 2^f is a polynomial, and k is added to the
        exponent bits of its value.
        """
        scale = self.constant(1.0) if scale is None else scale
        shifted = self.fma(a, scale, self.constant(_ROUND))
        fraction = self.fma(a, scale, self.negate(self.subtract(shifted, self.constant(_ROUND))))
        # by pairs of coefficients: one instruction more than Horner's rule, but a shorter chain
        square = self.multiply(fraction, fraction)
        pairs = [
            self.fma(self.constant(odd), fraction, self.constant(even))
            for even, odd in zip(_EXP2[::2], _EXP2[1::2], strict=True)
        ]
        power = pairs.pop()
        while pairs:
            power = self.fma(power, square, pairs.pop())
        exponent = self.builder.shl(self.bits(shifted), ir.Constant(self.integers, [23] * self.lanes))
        return self.builder.bitcast(self.builder.add(self.bits(power), exponent), self.type)

    def bits(self, a: Any) -> Any:
        """The 32 bits of each lane as an integer."""
        return self.builder.bitcast(a, self.integers)

    # ---- comparison -----------------------------------------------------------------------------

    def compare(self, relation: str, a: Any, b: Any) -> Any:
        """One truth value per lane; relation is "<", "<=", "==", … and false for NaN."""
        return self.builder.fcmp_ordered(relation, a, b)

    def select(self, mask: Any, a: Any, b: Any) -> Any:
        """A where the mask is true, b elsewhere."""
        return self.builder.select(mask, a, b)

    def mask_bits(self, mask: Any) -> Any:
        """The truth values as a 64-bit integer, lane 0 in the lowest bit."""
        return self.builder.zext(self.builder.bitcast(mask, ir.IntType(self.lanes)), _INDEX)

    # ---- across lanes ---------------------------------------------------------------------------

    def horizontal(self, combine: Callable[[Any, Any], Any], a: Any) -> Any:
        """Combine all lanes to one float32 number, by halves: `v.horizontal(v.add, a)`."""
        width = self.lanes
        while width > 1:
            width //= 2
            order = [(lane + width) % self.lanes for lane in range(self.lanes)]
            other = self.builder.shuffle_vector(a, a, ir.Constant(self.integers, order))
            a = combine(a, other)
        return self.builder.extract_element(a, ir.Constant(_INT, 0))

    # ---- what changes at run time ---------------------------------------------------------------

    def variable(self, start: Any) -> "Variable":
        """A value that may be set anew, in a loop for instance; the compiler keeps it in a register."""
        return Variable(self.builder, start)

    @contextmanager
    def loop(self, count: Any, step: int = 1) -> Iterator[Any]:
        """Loop with index 0, step, 2 step, … below `count` (which must not be negative)."""
        with cgutils.for_range_slice(self.builder, self.index(0), self.index(count), self.index(step)) as (index, _):
            yield index

    def unrolled(self, count: Any, turns: int, write: Callable[[list[Any]], None]) -> None:
        """write([i, i + 1, …]) with `turns` indices at a time, then one at a time, up to `count`.

        Independent chains of instructions side by side keep a processor busy that would otherwise wait.
        """
        whole = self.builder.sub(count, self.builder.urem(count, self.index(turns)))
        with self.loop(whole, step=turns) as i:
            write([self.sum(i, turn) for turn in range(turns)])
        with self.loop(self.builder.sub(count, whole)) as i:
            write([self.builder.add(whole, i)])

    @contextmanager
    def when(self, condition: Any) -> Iterator[None]:
        """Do what follows only if a truth value (from `equal`) holds."""
        with self.builder.if_then(condition):
            yield


class Variable:
    """A mutable value of the compiled code."""

    def __init__(self, builder: ir.IRBuilder, start: Any):
        self._builder = builder
        self._slot = cgutils.alloca_once(builder, start.type)
        self.set(start)

    def get(self) -> Any:
        """The present value."""
        return self._builder.load(self._slot)

    def set(self, value: Any) -> None:
        """Give it another value."""
        self._builder.store(value, self._slot)


def instructions(write: Callable[..., Any], returns: types.Type = types.void, lanes: int = LANES) -> Any:
    """Make write(v, *arguments) callable from compiled code; decorates a function at module level.

    Arrays arrive as addresses of their first element, integers as 64-bit, numbers as they are.  What
    `write` returns is the result, of Numba type `returns`.
    """

    @intrinsic
    def typed(typing_context: Any, *arguments: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            (kinds,), (packed,) = signature.args, values
            unpacked = cgutils.unpack_tuple(builder, packed, len(kinds))
            ready = [_argument(context, builder, kind, value) for kind, value in zip(kinds, unpacked, strict=True)]
            result = write(Vectors(builder, lanes), *ready)
            return context.get_dummy_value() if result is None else result

        return returns(types.Tuple([_canonical(kind) for kind in arguments])), generate

    return typed


def _canonical(kind: Any) -> Any:
    return types.int64 if isinstance(kind, types.Integer) else kind


def _argument(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    return context.make_array(kind)(context, builder, value).data if isinstance(kind, types.Array) else value
