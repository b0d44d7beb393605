"""The vector layer: each instruction against NumPy, on the lanes of this processor and on 16 and 8."""

import os
import subprocess
import sys

import numpy as np
import pytest
from numba import njit, types

from remanifold.simulations.engine.vectors.lanes import LANES, LOWEST_EXPONENT, instructions

pytestmark = pytest.mark.skipif(LANES == 0, reason="no vector instructions known for this processor")

_BINARY = ["add", "subtract", "multiply", "minimum", "maximum"]


@instructions
def _arithmetic(v, a, b, c, out):
    x, y, z = v.load(a, 0), v.load(b, 0), v.load(c, 0)
    results = [getattr(v, name)(x, y) for name in _BINARY]
    results += [v.fma(x, y, z), v.negate(x), v.select(v.compare("<", x, y), x, z), v.constant(0.1), v.broadcast(a, 3)]
    for k, result in enumerate(results):
        v.store(result, out, k * v.lanes)


@instructions
def _powers(v, a, scale, out, count):
    with v.loop(count, step=v.lanes) as i:
        v.store(v.exp2(v.load(a, i), v.splat(scale)), out, i)


@instructions
def _across(v, a, out):
    for k, combine in enumerate((v.add, v.maximum)):
        v.store(v.splat(v.horizontal(combine, v.load(a, 0))), out, k * v.lanes)


@instructions
def _doubles(v, a, b, out):
    v.store_doubles(v.fma(v.widen(v.load(a, 0)), v.load_doubles(b, 0), v.load_doubles(b, 0)), out, 0)


def _write_mask(v, a, b):
    return v.mask_bits(v.compare(">", v.load(a, 0), v.load(b, 0)))


_mask = instructions(_write_mask, returns=types.int64)


@instructions
def _rows(v, a, count, out, order):
    """Sum of `count` rows of `lanes` elements, three at a time; order notes the rows."""
    total, turn = v.variable(v.constant(0.0)), v.variable(v.constant(0.0))

    def write(keys):
        for key in keys:
            v.prefetch(a, v.product(key, v.lanes))
            total.set(v.add(total.get(), v.load(a, v.product(key, v.lanes))))
            v.store(turn.get(), order, v.product(key, v.lanes))
            turn.set(v.add(turn.get(), v.constant(1.0)))

    v.unrolled(count, 3, write)
    v.store(total.get(), out, 0)


@instructions
def _only_if(v, a, number, out):
    with v.when(v.equal(v.sum(number, 1, number), 7)):
        v.store(v.load(a, 0), out, 0)


def call(emit, *arguments):
    """Run the instructions once."""

    @njit
    def enter(*arguments):
        return emit(*arguments)

    return enter(*arguments)


def numbers(seed, shape=LANES):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def test_arithmetic_is_that_of_numpy():
    a, b, c = numbers(0), numbers(1), numbers(2)
    b[1] = a[1]
    out = np.empty((len(_BINARY) + 5, LANES), np.float32)
    call(_arithmetic, a, b, c, out)
    expected = [a + b, a - b, a * b, np.minimum(a, b), np.maximum(a, b)]
    fused = (a.astype(np.longdouble) * b + c).astype(np.float32)
    expected += [fused, -a, np.where(a < b, a, c), np.full(LANES, np.float32(0.1)), np.full(LANES, a[3])]
    np.testing.assert_array_equal(out, expected)


def test_exp2_errs_by_less_than_2e_7():
    exponents = np.linspace(LOWEST_EXPONENT, 20, 2**16).astype(np.float32)
    out = np.empty_like(exponents)
    call(_powers, exponents, np.float32(1), out, out.size)
    relative = out / np.exp2(exponents.astype(np.longdouble)) - 1
    assert np.abs(relative).max() < 2e-7
    assert abs(relative.mean()) < 3e-8  # no common bias, which would not average out


def test_exp2_of_zero_is_one_and_the_scale_enters_before_rounding():
    a = np.zeros(LANES, np.float32)
    a[1:4] = [-1.0, -3.0, -0.3]
    out = np.empty_like(a)
    scale = np.float32(41.7)
    call(_powers, a, scale, out, LANES)
    assert out[0] == 1
    np.testing.assert_allclose(out, np.exp2(a.astype(np.longdouble) * scale).astype(float), rtol=2e-7)


def test_sums_and_maxima_across_lanes():
    a = numbers(3)
    out = np.empty((2, LANES), np.float32)
    call(_across, a, out)
    np.testing.assert_allclose(out[0], a.astype(float).sum(), rtol=1e-6)
    np.testing.assert_array_equal(out[1], a.max())


def test_both_precisions():
    a, b = numbers(4), np.random.default_rng(5).standard_normal(LANES)
    out = np.empty(LANES)
    call(_doubles, a, b, out)
    np.testing.assert_allclose(out, a.astype(float) * b + b, rtol=1e-13)


def test_masks_hold_lane_zero_in_the_lowest_bit():
    a, b = numbers(6), numbers(7)
    a[0], b[1] = 10.0, np.nan
    assert call(_mask, a, b) == sum(1 << lane for lane in range(LANES) if a[lane] > b[lane])


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 12])
def test_unrolled_loops_visit_every_index_once_and_in_order(count):
    a = numbers(8, (max(count, 1), LANES))
    out, order = np.empty(LANES, np.float32), np.full((max(count, 1), LANES), -1, np.float32)
    call(_rows, a, count, out, order)
    np.testing.assert_allclose(out, a[:count].astype(float).sum(axis=0), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(order[:count, 0], np.arange(count))


@pytest.mark.parametrize(("number", "written"), [(3, True), (4, False)])
def test_conditions_are_decided_at_run_time(number, written):
    a, out = numbers(9), np.zeros(LANES, np.float32)
    call(_only_if, a, number, out)
    np.testing.assert_array_equal(out, a if written else np.zeros(LANES))


def lanes_with(setting, variable="REMANIFOLD_LANES"):
    script = (
        "from remanifold.simulations.engine.compilation import with_lanes;"
        "from remanifold.simulations.engine.vectors.lanes import LANES; print(LANES, with_lanes['cache'])"
    )
    environment = {**os.environ, variable: setting}
    return subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("setting", ["0", "16"])
def test_the_override_sets_the_lanes_and_leaves_the_cache_alone(setting):
    assert lanes_with(setting).stdout.split() == [setting, "False"]


def test_an_unknown_override_is_refused_by_name():
    assert "REMANIFOLD_LANES = '5': must be one of 0, 8, 16" in lanes_with("5").stderr


def test_lanes_are_those_of_the_processor_that_numba_compiles_for():
    assert lanes_with("+sse2", "NUMBA_CPU_FEATURES").stdout.split() == ["0", "True"]
    assert lanes_with("+avx2,+fma", "NUMBA_CPU_FEATURES").stdout.split() == ["8", "True"]
