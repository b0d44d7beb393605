"""The arithmetic on one tile of points for one panel of queries, in vector instructions.

Per pair of point and query the kernel keeps one number, the similarity s: minus the squared distance,
or x·y - |y|²/2.  Weights are 2^{c (s - s_max)} with c = log2(e)/2r or log2(e)/r.  A tile has shape
(TILE, PANEL), row = point, column = query; offsets count elements.
"""

from typing import Any

from numba import types

from .brute_layout import FEWEST, KEYS, PANEL, SMALL_DIM
from .lanes import LANES, Vectors, instructions

_COLUMNS = range(0, PANEL, max(LANES, 1))
_SIDE_BY_SIDE = 4  # points whose chains of instructions overlap
_NOWHERE = 1e9  # beyond the rows of any tile

# Rows of the constants of a panel, (3, PANEL) float32: s_max so far, c, and the lowest s - s_max.
TOP, SCALE, FLOOR = 0, PANEL, 2 * PANEL


# ---- similarities -----------------------------------------------------------------------------


def _write_block(v: Vectors, direct: bool, continued: bool, *arguments: Any) -> None:
    """Similarities of KEYS points: a register block of the matrix product, or of squared differences.

    Over `width` coordinates, added to `bias` or, if `continued`, to what the tile holds.
    """
    y, first, stride, width, x, x_first, tile, tile_first, highest, bias, bias_first = arguments
    cells = [(key, column) for key in range(KEYS) for column in _COLUMNS]
    # A further sum starts from zero and is added at the end: short sums round less.
    start = [v.constant(0.0) if continued else v.broadcast(bias, v.sum(bias_first, key)) for key in range(KEYS)]
    totals = {(key, column): v.variable(start[key]) for key, column in cells}
    rows = [v.sum(first, v.product(stride, key)) for key in range(KEYS)]
    with v.loop(width) as i:
        offset = v.sum(x_first, v.product(i, PANEL))
        queries = {column: v.load(x, v.sum(offset, column)) for column in _COLUMNS}
        points = [v.broadcast(y, v.sum(row, i)) for row in rows]
        for key, column in cells:
            total = totals[key, column]
            if direct:
                difference = v.subtract(queries[column], points[key])
                total.set(v.fma(v.negate(difference), difference, total.get()))
            else:
                total.set(v.fma(points[key], queries[column], total.get()))
    for column in _COLUMNS:
        top = v.load(highest, column)
        for key in range(KEYS):
            similarity, cell = totals[key, column].get(), v.sum(tile_first, key * PANEL + column)
            if continued:
                similarity = v.add(similarity, v.load(tile, cell))
            v.store(similarity, tile, cell)
            top = v.maximum(similarity, top)
        v.store(top, highest, column)


begin_products = instructions(lambda v, *arguments: _write_block(v, False, False, *arguments))
continue_products = instructions(lambda v, *arguments: _write_block(v, False, True, *arguments))
begin_squares = instructions(lambda v, *arguments: _write_block(v, True, False, *arguments))
continue_squares = instructions(lambda v, *arguments: _write_block(v, True, True, *arguments))


@instructions
def small_squares(v, dim, y, first, count, x, tile, highest):
    """Similarities of `count` points in dim ≤ SMALL_DIM dimensions; the queries stay in registers."""
    for known in range(1, SMALL_DIM + 1):
        with v.when(v.equal(dim, known)):
            together = [list(_COLUMNS)] if known <= SMALL_DIM // 2 else [[column] for column in _COLUMNS]
            for columns in together:
                _write_small_squares(v, known, columns, y, first, count, x, tile, highest)


def _write_small_squares(v: Vectors, known: int, columns: list[int], *arguments: Any) -> None:
    y, first, count, x, tile, highest = arguments
    query = {c: [v.load(x, i * PANEL + c) for i in range(known)] for c in columns}
    tops = {c: v.variable(v.load(highest, c)) for c in columns}

    def write(keys: list[Any]) -> None:
        for key in keys:
            point = v.sum(first, v.product(key, known))
            coordinates = [v.broadcast(y, v.sum(point, i)) for i in range(known)]
            for c in columns:
                similarity = v.constant(-0.0)
                for i in range(known):
                    difference = v.subtract(query[c][i], coordinates[i])
                    similarity = v.fma(v.negate(difference), difference, similarity)
                v.store(similarity, tile, v.sum(v.product(key, PANEL), c))
                tops[c].set(v.maximum(similarity, tops[c].get()))

    v.unrolled(count, _SIDE_BY_SIDE, write)
    for c in columns:
        v.store(tops[c].get(), highest, c)


@instructions
def prefetch(v, array, first, stop):
    """Bring float32 elements from `first` to `stop` into the second-level cache, while others are used."""
    with v.loop(v.builder.sub(stop, first), step=16) as i:
        v.prefetch(array, v.sum(first, i))


# ---- the nearest point ------------------------------------------------------------------------


def _write_rises(v: Vectors, highest: Any, constants: Any) -> Any:
    found = v.index(0)
    for column in _COLUMNS:
        above = v.compare(">", v.load(highest, column), v.load(constants, TOP + column))
        found = v.builder.or_(found, v.mask_bits(above))
    return found


# Nonzero if the tile holds, for some query, a point nearer than all before.
rises = instructions(_write_rises, returns=types.int64)


@instructions
def locate(v, tile, tile_first, count, highest, position):
    """For each query the row of its maximum in the tile, the lowest on ties, as float32."""
    tops = {column: v.load(highest, column) for column in _COLUMNS}
    found = {column: v.variable(v.constant(_NOWHERE)) for column in _COLUMNS}
    row = v.variable(v.constant(0.0))

    def write(keys: list[Any]) -> None:
        for turn, key in enumerate(keys):
            number = v.add(row.get(), v.constant(float(turn)))
            for column in _COLUMNS:
                here = v.load(tile, v.sum(tile_first, v.product(key, PANEL), column))
                candidate = v.select(v.compare("==", here, tops[column]), number, v.constant(_NOWHERE))
                found[column].set(v.minimum(candidate, found[column].get()))
        row.set(v.add(row.get(), v.constant(float(len(keys)))))

    v.unrolled(count, _SIDE_BY_SIDE, write)
    for column in _COLUMNS:
        v.store(found[column].get(), position, column)


# ---- weights and their sums -------------------------------------------------------------------


def _write_relevant(v: Vectors, highest: Any, constants: Any, keep: Any) -> Any:
    found = v.index(0)
    for column in _COLUMNS:
        top, scale = (v.load(constants, row + column) for row in (TOP, SCALE))
        depth = v.multiply(v.subtract(v.load(highest, column), top), scale)
        mask = v.compare(">", depth, v.constant(-100.0))
        v.store_doubles(v.widen(v.select(mask, v.constant(1.0), v.constant(0.0))), keep, column)
        found = v.builder.or_(found, v.mask_bits(mask))
    return found


# Set keep = 0 for queries all of whose weights in the tile are below 2^-100, 1 for the others; nonzero
# if there are others.  The choice is made query by query, so it does not depend on the company.
relevant = instructions(_write_relevant, returns=types.int64)


def _write_weights(v: Vectors, *arguments: Any, leading: bool, known: int = 0) -> None:
    """Weights of `count` points and Σ e, Σ e², Σ e (s - s_max), added to `sums` (3, PANEL).

    `leading`: row `leader` of each query is its nearest point, whose own e = 1 is left out of the sums.
    With known = 0 the weights replace the similarities; else Σ e y is added to `mean` (known, PANEL).
    """
    for column in _COLUMNS:
        _write_column(v, column, *arguments, leading=leading, known=known)


def _write_column(v: Vectors, column: int, *arguments: Any, leading: bool, known: int) -> None:
    tile, tile_first, count, constants, keep, leader, sums, y, y_first, mean = arguments
    top, scale, floor = (v.load(constants, row + column) for row in (TOP, SCALE, FLOOR))
    position = v.load(leader, column)
    total, squares, energy = (v.variable(v.constant(0.0)) for _ in range(3))
    moments = [v.variable(v.constant(0.0)) for _ in range(known)]
    row = v.variable(v.constant(0.0))

    def write(keys: list[Any]) -> None:
        offsets = [v.sum(tile_first, v.product(key, PANEL), column) for key in keys]
        depths = [v.maximum(v.subtract(v.load(tile, offset), top), floor) for offset in offsets]
        found = [v.exp2(depth, scale) for depth in depths]
        for key, offset, depth, weight in zip(keys, offsets, depths, found, strict=True):
            if not known:
                v.store(weight, tile, offset)
            for i, moment in enumerate(moments):
                coordinate = v.broadcast(y, v.sum(y_first, v.product(key, known), i))
                moment.set(v.fma(weight, coordinate, moment.get()))
            if leading:
                weight = v.select(v.compare("==", row.get(), position), v.constant(0.0), weight)
                row.set(v.add(row.get(), v.constant(1.0)))
            total.set(v.add(total.get(), weight))
            squares.set(v.fma(weight, weight, squares.get()))
            energy.set(v.fma(weight, depth, energy.get()))

    v.unrolled(count, _SIDE_BY_SIDE, write)
    kept = v.load_doubles(keep, column)
    for k, part in enumerate((total, squares, energy)):
        _fold(v, part.get(), kept, sums, k * PANEL + column)
    for i, moment in enumerate(moments):
        _fold(v, moment.get(), kept, mean, i * PANEL + column)


def _fold(v: Vectors, part: Any, keep: Any, array: Any, offset: Any) -> None:
    """array += keep · part, in float64."""
    v.store_doubles(v.fma(keep, v.widen(part), v.load_doubles(array, offset)), array, offset)


def _write_small_weights(v: Vectors, dim: Any, *arguments: Any, leading: bool) -> None:
    for known in range(1, SMALL_DIM + 1):
        with v.when(v.equal(dim, known)):
            _write_weights(v, *arguments, leading=leading, known=known)


weights = instructions(lambda v, *arguments: _write_weights(v, *arguments, leading=False))
leading_weights = instructions(lambda v, *arguments: _write_weights(v, *arguments, leading=True))
small_weights = instructions(lambda v, *arguments: _write_small_weights(v, *arguments, leading=False))
small_leading_weights = instructions(lambda v, *arguments: _write_small_weights(v, *arguments, leading=True))


@instructions
def add_weighted(v, rows, tile, tile_first, count, y, first, stride, mean, mean_first, keep):
    """mean[i] += Σ_points e y_i for `rows` neighbouring coordinates i, FEWEST to KEYS of them."""
    for known in range(FEWEST, KEYS + 1):
        with v.when(v.equal(rows, known)):
            cells = [(i, column) for i in range(known) for column in _COLUMNS]
            totals = {cell: v.variable(v.constant(0.0)) for cell in cells}
            with v.loop(count) as key:
                offset = v.sum(tile_first, v.product(key, PANEL))
                row = v.sum(first, v.product(key, stride))
                points = {column: v.load(tile, v.sum(offset, column)) for column in _COLUMNS}
                coordinates = [v.broadcast(y, v.sum(row, i)) for i in range(known)]
                for i, column in cells:
                    total = totals[i, column]
                    total.set(v.fma(coordinates[i], points[column], total.get()))
            for i, column in cells:
                kept = v.load_doubles(keep, column)
                _fold(v, totals[i, column].get(), kept, mean, v.sum(mean_first, i * PANEL + column))
