"""Two operations on integers that Numba lacks."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic


def _lowest_bit(typing_context: Any, bits: Any) -> Any:
    """Position of the lowest bit that is set in a 64-bit integer ≠ 0."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.cttz(values[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), generate


def _take_next(typing_context: Any, counter: Any) -> Any:
    """counter[0]++ of an int64 array, seen by all threads at once; returns the value before."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, values[0])
        first = cgutils.get_item_pointer2(context, builder, array.data, [], [], "C", [])
        return builder.atomic_rmw("add", first, ir.Constant(ir.IntType(64), 1), "monotonic")

    return types.int64(counter), generate


lowest_bit: Any = intrinsic(_lowest_bit)
take_next: Any = intrinsic(_take_next)
