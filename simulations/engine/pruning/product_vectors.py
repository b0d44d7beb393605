"""The largest product in a block, by explicit vectors; `block_distances.product_maxima` is the plain twin."""

from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils

from ..compilation import with_lanes
from ..vectors.lanes import LANES, instruction_sets, instructions

PANEL = 2 * LANES  # points whose pairs of rows lie side by side: two vectors
TOGETHER = 12 if LANES == 16 else 6  # times two vectors of points: the accumulators fill the registers

_INT16, _INT32 = ir.IntType(16), ir.IntType(32)
_MULTIPLY_PAIRS = {8: "llvm.x86.avx2.pmadd.wd", 16: "llvm.x86.avx512.pmaddw.d.512"}
_WIDEST = 16 if "avx512bw" in instruction_sets() else 8


def _lanes_of(v, vector, start, count):
    order = ir.Constant(ir.VectorType(_INT32, count), list(range(start, start + count)))
    return v.builder.shuffle_vector(vector, vector, order)


def _multiply_pairs(v, a, b):
    """In each lane the product of the low halves plus that of the high halves."""
    width = a.type.count
    if width > _WIDEST:
        half = width // 2
        parts = [_multiply_pairs(v, _lanes_of(v, a, s, half), _lanes_of(v, b, s, half)) for s in (0, half)]
        order = ir.Constant(ir.VectorType(_INT32, width), list(range(width)))
        return v.builder.shuffle_vector(*parts, order)
    pairs, words = ir.VectorType(_INT16, 2 * width), ir.VectorType(_INT32, width)
    signature = ir.FunctionType(words, [pairs, pairs])
    multiply = cgutils.get_or_insert_function(v.builder.module, signature, _MULTIPLY_PAIRS[width])
    return v.builder.call(multiply, [v.builder.bitcast(a, pairs), v.builder.bitcast(b, pairs)])


def _load(v, array, offset):
    return v.builder.bitcast(v.load(array, offset), v.integers)


def _largest(v, a, b):
    return v.builder.select(v.builder.icmp_signed(">", a, b), a, b)


@instructions
def _product_maxima(v, pairs, stride, start, x, n_pairs, maxima):
    largest = [v.variable(ir.Constant(v.integers, [-(2**31)] * v.lanes)) for _ in range(TOGETHER)]
    with v.loop(64, PANEL) as point:
        first = [_load(v, start, v.sum(point, part * v.lanes)) for part in range(2)]
        totals = [[v.variable(first[part]) for part in range(2)] for _ in range(TOGETHER)]
        panel = v.product(point, stride)
        with v.loop(n_pairs) as pair:
            offset = v.sum(panel, v.product(pair, PANEL))
            y = [_load(v, pairs, v.sum(offset, part * v.lanes)) for part in range(2)]
            for q in range(TOGETHER):
                query = v.builder.bitcast(v.broadcast(x, v.sum(v.product(pair, TOGETHER), q)), v.integers)
                for part in range(2):
                    product = _multiply_pairs(v, y[part], query)
                    totals[q][part].set(v.builder.add(product, totals[q][part].get()))
        for q in range(TOGETHER):
            for part in range(2):
                largest[q].set(_largest(v, totals[q][part].get(), largest[q].get()))
    for q in range(TOGETHER):
        value = v.horizontal(lambda a, b: _largest(v, a, b), largest[q].get())
        v.builder.store(value, v.builder.gep(maxima, [v.index(q)]))


@njit(**with_lanes)
def product_maxima(pairs, start, x, n_pairs, maxima):
    """Largest product of each query with the points of a block; see `block_distances.product_maxima`."""
    _product_maxima(pairs, pairs.shape[1], start, x, n_pairs, maxima)


def _write_block_products(v, pairs, block, stride, start, x, query, n_pairs, least, values):
    """The 64 products of one query and one block, all accumulators at once."""
    parts, size = 64 // v.lanes, v.product(stride, 64)
    first = v.product(block, 64)
    totals = [v.variable(_load(v, start, v.sum(first, part * v.lanes))) for part in range(parts)]
    with v.loop(n_pairs) as pair:
        word = v.builder.bitcast(v.broadcast(x, v.sum(v.product(query, n_pairs), pair)), v.integers)
        for part, total in enumerate(totals):
            panel, place = divmod(part * v.lanes, PANEL)
            offset = v.sum(v.product(block, size), v.product(stride, panel * PANEL), v.product(pair, PANEL), place)
            total.set(v.builder.add(_multiply_pairs(v, _load(v, pairs, offset), word), total.get()))
    bits, bound = v.index(0), _all_lanes(v, least)
    for part, total in enumerate(totals):
        v.store(v.builder.bitcast(total.get(), v.type), values, part * v.lanes)
        inside = v.mask_bits(v.builder.icmp_signed(">=", total.get(), bound))
        bits = v.builder.or_(bits, v.builder.shl(inside, v.index(part * v.lanes)))
    return bits


def _all_lanes(v, integer):
    """The same integer, given as 64 bits, in every lane."""
    word = v.builder.bitcast(v.builder.trunc(integer, _INT32), ir.FloatType())
    return v.builder.bitcast(v.splat(word), v.integers)


def _write_tail_product(v, tails, point, x, query, n_words):
    total = v.variable(ir.Constant(v.integers, [0] * v.lanes))
    with v.loop(n_words, v.lanes) as word:
        y = _load(v, tails, v.sum(v.product(point, n_words), word))
        own = _load(v, x, v.sum(v.product(query, n_words), word))
        total.set(v.builder.add(_multiply_pairs(v, y, own), total.get()))
    return v.horizontal(v.builder.add, total.get())


_block_products: Any = instructions(_write_block_products, types.int64)
_tail_product: Any = instructions(_write_tail_product, types.int32)


@njit(**with_lanes)
def block_products(pairs, block, start, x, query, least, values):
    """Products of a query with the points of a block, and which reach `least`; see `block_distances`."""
    return _block_products(pairs, block, pairs.shape[2], start, x, query, x.shape[1], least, values)


@njit(**with_lanes)
def tail_product(tails, point, x, query):
    """Product of the tails of a point and a query; see `block_distances`."""
    return _tail_product(tails, point, x, query, x.shape[1])
