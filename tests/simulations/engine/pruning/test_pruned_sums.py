"""Certified pruning: exactness, honest bounds under rounding, invariance, budget, choice."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remanifold.benchmarks.long_double import posterior
from remanifold.simulations.engine.pruning import (
    BOXES,
    Tree,
    Walk,
    block_distances,
    integers,
    prices,
    pruned_sums,
    survivors_of,
    tree,
    walks,
)
from remanifold.simulations.engine.survivors import survivors
from remanifold.simulations.engine.vectors.lanes import LANES


def same_bits(a, b):
    return all(np.array_equal(left, right) for left, right in zip(a, b, strict=True))


def planted(y, r, rng, n=12):
    x = y[rng.integers(0, len(y), n)]
    return x + np.sqrt(r) * rng.standard_normal(x.shape)


def kept_by_brute_force(y, x, r, skipped):
    """Points within min + 2r ln(N/ε), in long double: those that must be kept, and those that may be."""
    square = np.sum((y.astype(np.longdouble) - x) ** 2, axis=1)
    largest = square.min() + 2 * np.longdouble(r) * np.log(np.longdouble(len(y)) / skipped)
    return set(np.flatnonzero(square <= largest)), set(np.flatnonzero(square <= largest * (1 + 1e-12)))


def compare(found, y, x, r, tolerance=1e-10):
    """Against long double; the mean relative to the spread, the logarithm of the density likewise."""
    spread = max(np.ptp(y, axis=0).max(), 1e-300)
    for q, query in enumerate(x):
        exact = posterior(y, query, r[q])
        offset = np.log(len(y)) + 0.5 * y.shape[1] * np.log(2 * np.pi * r[q])
        assert np.abs(found.mean[q] - exact.mean).max() <= tolerance * spread
        assert abs(found.log_sum[q] - offset - exact.log_density) <= tolerance * max(1, abs(exact.log_density))
        assert abs(found.participation[q] / exact.participation - 1) <= tolerance
        assert abs(found.mean_square_distance[q] - exact.mean_square_distance) <= tolerance * (
            exact.mean_square_distance + r[q]
        )
        assert found.nearest[q] == exact.nearest
        # a weight ε left out takes ε ln(N/ε) of entropy with it, 4e-11 here
        assert abs(found.entropy[q] - exact.entropy) <= tolerance * (1 + exact.entropy)


# ---- exactness ---------------------------------------------------------------------------------


@pytest.mark.parametrize("r", [1e-10, 1e-6, 1e-3, 0.1, 3.0, 1e4, 1e10])
@pytest.mark.parametrize("shape", [(900, 1), (1100, 3), (700, 12), (400, 40), (130, 200), (150, 530)])
def test_sums_agree_with_long_double_from_tiny_to_huge_noise(shape, r):
    rng = np.random.default_rng(1)
    y = rng.standard_normal(shape) * np.arange(1, shape[1] + 1) ** -0.5
    y -= y.mean(axis=0)
    x = planted(y, min(r, 1e6), rng, 6)
    forest, ratios = Tree.of(y), np.full(6, r)
    for walk in walks(forest):
        found = pruned_sums(forest, x, ratios, walk=walk)
        assert found.finished.all()
        compare(found.sums, y, x, ratios)


RNG = np.random.default_rng(2)
HARD = {
    "all equal": np.zeros((300, 3)),
    "duplicates": np.repeat(RNG.standard_normal((7, 5)), 60, axis=0),
    "one point": np.array([[0.5]]),
    "two points": np.array([[-1.0, 0.0], [1.0, 0.0]]),
    "huge norms": 1e8 * RNG.standard_normal((500, 4)),
    "near overflow": 1e90 * RNG.standard_normal((200, 3)),
    "tiny": 1e-90 * RNG.standard_normal((200, 3)),
    "outlier": np.concatenate([RNG.standard_normal((499, 6)), [[1e9] + 5 * [0.0]]]),
    "two far clusters": np.concatenate([1e-3 * RNG.standard_normal((200, 3)) + s for s in (-1e5, 1e5)]),
    "lattice": np.stack(np.meshgrid(*3 * [np.arange(-4.0, 4)]), axis=-1).reshape(-1, 3),
    "line in many dimensions": np.outer(np.linspace(-1, 1, 257), np.ones(50)),
    "one dimension": np.sort(RNG.standard_normal((1000, 1)), axis=0),
}


@pytest.mark.parametrize("name", HARD)
def test_hard_data(name):
    y = HARD[name]
    forest, rng = Tree.of(y), np.random.default_rng(3)
    scale = np.abs(y).max() or 1.0
    for r in (1e-10, 1e-4, 1.0, 1e10):
        r *= 1e-180 if name == "tiny" else 1
        x = np.concatenate([y[:2], planted(y, r, rng, 4), 0.3 * scale * rng.standard_normal((2, y.shape[1]))])
        first = pruned_sums(forest, x, np.full(len(x), r))
        if name not in ("huge norms", "near overflow", "outlier", "two far clusters"):
            compare(first.sums, y, x, np.full(len(x), r))
        else:  # |x-y|² is known to 1e-16 at best, which moves the logits of equally near points
            for q in range(len(x)):
                assert first.sums.nearest[q] == posterior(y, x[q], r).nearest
        assert np.all(first.certified <= 1e-12)
        assert first.finished.all()
        for walk in walks(forest):
            assert same_bits(first.sums, pruned_sums(forest, x, np.full(len(x), r), walk=walk).sums)


def test_each_query_has_its_own_noise_ratio():
    rng = np.random.default_rng(4)
    y = rng.standard_normal((1500, 4))
    r = np.geomspace(1e-8, 1e8, 30)
    x = y[:30] + np.minimum(np.sqrt(r), 2)[:, None] * rng.standard_normal((30, 4))
    compare(pruned_sums(Tree.of(y), x, r).sums, y, x, r)


# ---- certificate -------------------------------------------------------------------------------


@pytest.mark.parametrize("skipped", [1e-1, 1e-3, 1e-8])
def test_certified_bounds_what_was_left_out(skipped):
    rng = np.random.default_rng(5)
    y = rng.standard_normal((3000, 6))
    x, r = planted(y, 0.3, rng, 20), np.full(20, 0.3)
    forest = Tree.of(y)
    found, kept = pruned_sums(forest, x, r, skipped), survivors_of(forest, x, r, skipped)
    worst = 0.0
    for q in range(20):
        weights = posterior(y, x[q], r[q]).weights
        index = kept[q].index
        left_out = float(np.delete(weights, index).sum())
        assert left_out <= found.certified[q] <= skipped
        worst = max(worst, left_out / found.certified[q])
    assert worst > 1e-4  # the bound is not absurdly wide
    assert found.survivors.max() < 3000


@pytest.mark.parametrize("walk", ["boxes", "products"])
@pytest.mark.parametrize("offset", [0.0, 1e3, 1e6])
def test_rounding_in_single_precision_loses_no_point(offset, walk):
    """Two clusters `offset` apart, neighbours closer than a float32 can tell: the kept set stays exact."""
    rng = np.random.default_rng(6)
    y = 1e-2 * rng.standard_normal((2000, 9))
    y[:1000, 0] += offset
    y -= y.mean(axis=0)
    forest = Tree.of(y)
    for r in (1e-9, 1e-7, 1e-5):
        x = planted(y, r, rng, 10)
        way = BOXES if walk == "boxes" else Walk(len(forest.blocks.ends) - 1)
        kept = survivors_of(forest, x, np.full(10, r), walk=way)
        assert all(len(one.index) for one in kept)
        for q in range(10):
            must, may = kept_by_brute_force(y, x[q], r, 1e-12)
            assert must <= set(kept[q].index.tolist()) <= may


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 300), st.integers(1, 20), st.integers(0, 2**32 - 1), st.floats(-9, 3), st.floats(-6, 9))
def test_kept_points_are_exactly_those_within_the_bound(n, dim, seed, log_r, log_stretch):
    rng = np.random.default_rng(seed)
    y = rng.standard_normal((n, dim)) * 10 ** (log_stretch * rng.random(dim))
    y[rng.random(n) < 0.1] = y[0]
    r = 10**log_r
    x = planted(y, r, rng, 3)
    forest = Tree.of(y)
    for walk in (BOXES, *walks(forest)[1::3]):
        kept = survivors_of(forest, x, np.full(3, r), 1e-6, walk)
        for q in range(3):
            must, may = kept_by_brute_force(y, x[q], r, 1e-6)
            assert must <= set(kept[q].index.tolist()) <= may


def test_blocks_hold_every_point_once_and_boxes_enclose_them():
    y = np.random.default_rng(7).standard_normal((5000, 20)) * np.arange(1, 21) ** -1.0
    forest = Tree.of(y)
    blocks = forest.blocks
    order = blocks.order
    np.testing.assert_array_equal(np.sort(order[order >= 0]), np.arange(5000))
    place = tree.coordinate_rows(blocks.ends.tolist())
    rotated = (y - forest.mean) @ forest.axes.T * forest.scale
    stored = blocks.rows[:, place].transpose(0, 2, 1).reshape(-1, 20)
    np.testing.assert_allclose(stored[:5000], rotated[order[:5000]], rtol=0, atol=2.0**-24 * 2**10)
    assert np.linalg.norm(rotated, axis=1).max() <= 2**10
    for b in range(len(blocks.rows)):
        box, valid = blocks.boxes[b // 16, :, b % 16], min(64, 5000 - 64 * b)
        values = blocks.rows[b][place[:16], :valid]
        np.testing.assert_array_equal(box[0:32:2], values.min(axis=1))
        np.testing.assert_array_equal(box[1:32:2], values.max(axis=1))
        np.testing.assert_allclose(
            blocks.rows[b, 17, :valid], np.linalg.norm(stored[64 * b : 64 * b + valid, 16:], axis=1), rtol=3e-7
        )


def test_extra_memory_is_two_thirds_of_the_points_at_most():
    y = np.random.default_rng(8).standard_normal((64 * 1024, 16))
    forest = Tree.of(y)
    assert forest.points is y
    assert sum(array.nbytes for array in forest.blocks) < 0.67 * y.nbytes
    assert sum(array.nbytes for array in forest.integers) < 0.35 * y.nbytes


# ---- invariance --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cloud():
    rng = np.random.default_rng(9)
    y = rng.standard_normal((6000, 10))
    return Tree.of(y), planted(y, 0.05, rng, 150), np.full(150, 0.05)


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="one core only")
@pytest.mark.usefixtures("all_cores")
def test_number_of_threads_does_not_change_a_bit(cloud):
    many = pruned_sums(*cloud)
    try:
        numba.set_num_threads(1)
        one = pruned_sums(*cloud)
    finally:
        numba.set_num_threads(numba.config.NUMBA_NUM_THREADS)
    assert same_bits(one.sums, many.sums)


def test_a_query_gets_the_same_bits_alone_in_company_and_by_any_walk(cloud):
    forest, x, r = cloud
    together = pruned_sums(forest, x, r)
    for walk in walks(forest):
        for q in (0, 77, 149):
            alone = pruned_sums(forest, x[q : q + 1], r[:1], walk=walk)
            assert all(np.array_equal(a[0], b[q]) for a, b in zip(alone.sums, together.sums, strict=True))
            assert alone.certified[0] == together.certified[q]
            assert alone.survivors[0] == together.survivors[q]


def test_calls_from_many_python_threads_are_safe(cloud):
    expected = pruned_sums(*cloud)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda walk: pruned_sums(*cloud, walk=walk), 10 * [BOXES, Walk(0)]))
    assert all(same_bits(result.sums, expected.sums) for result in results)


@pytest.mark.skipif(LANES != 8, reason="the panels of other vectors differ")
def test_vectors_and_plain_loops_bound_alike():
    from remanifold.simulations.engine.pruning import block_vectors, product_vectors

    rng = np.random.default_rng(10)
    y = rng.standard_normal((1000, 30))
    forest = Tree.of(y)
    blocks, whole = forest.blocks, forest.integers
    x = (forest.scale * rng.standard_normal((5, blocks.rows.shape[1]))).astype(np.float32)
    axes = np.ascontiguousarray(x[:, : (blocks.boxes.shape[1] - 1) // 2])
    limit, squares = np.float32(60 * forest.scale**2), np.zeros((2, 64), np.float32)
    reach = np.float32(2 * forest.scale)
    words = rng.integers(-(2**31), 2**31, (whole.pairs.shape[2], integers.TOGETHER)).astype(np.int32) & 0x1FFF1FFF
    maxima = np.zeros((2, integers.TOGETHER), np.int32)
    for block in range(len(blocks.rows)):
        product_vectors.product_maxima(whole.pairs[block], whole.start[block], words, len(words), maxima[0])
        block_distances.product_maxima(whole.pairs[block], whole.start[block], words, len(words), maxima[1])
        np.testing.assert_array_equal(maxima[0], maxima[1])
        values = np.zeros((2, 64), np.int32)
        each = np.ascontiguousarray(words.T)
        tails = np.ascontiguousarray(whole.pairs.reshape(len(blocks.rows), 64, -1)[:, :, :16])  # any integers serve
        for q, least in enumerate((-(10**9), 0, 10**7)):
            inside = [
                module.block_products(whole.pairs, block, whole.start, each, q, least, values[i])
                for i, module in enumerate((product_vectors, block_distances))
            ]
            assert inside[0] == inside[1]
            np.testing.assert_array_equal(values[0], values[1])
            longer = np.ascontiguousarray(np.resize(words, (3, tails.shape[2])))
            tail = [
                module.tail_product(tails, 64 * block + q, longer, q) for module in (product_vectors, block_distances)
            ]
            assert tail[0] == tail[1]
        for q in range(5):
            bits = [
                module.scan(blocks.rows, block, x, q, blocks.ends, limit, squares[i])
                for i, module in enumerate((block_vectors, block_distances))
            ]
            assert bits[0] == bits[1]
            if bits[0]:
                np.testing.assert_allclose(squares[0], squares[1], rtol=1e-5)
            within = [
                module.boxes_within(blocks.boxes, block // 16, axes, q, reach, np.float32(1))
                for module in (block_vectors, block_distances)
            ]
            assert within[0] == within[1]


SCRIPT = """
import numpy as np
from remanifold.simulations.engine.pruning import Tree, Walk, pruned_sums
rng = np.random.default_rng(11)
y = rng.standard_normal((3000, 14))
wide = rng.standard_normal((500, 300))
for points, walks in ((y, (-1, 0, 1)), (wide, (-1, 0, 9))):
    x = points[:40] + 0.3 * rng.standard_normal((40, points.shape[1]))
    tree = Tree.of(points)
    for walk in walks:
        sums = pruned_sums(tree, x, np.full(40, 0.09), walk=Walk(walk)).sums
        print(*(np.asarray(field).tobytes().hex()[:4000] for field in sums))
"""


@pytest.mark.slow
@pytest.mark.skipif(LANES == 0, reason="no vector instructions known for this processor")
def test_sixteen_eight_and_no_lanes_give_the_same_bits():
    found = []
    for lanes in ("0", "8", "16"):
        environment = {**os.environ, "REMANIFOLD_LANES": lanes}
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False, env=environment
        )
        assert done.returncode == 0, done.stderr
        found.append(set(done.stdout.splitlines()))
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == 2  # one line for each set, whatever the walk


# ---- survivors, budget, choice -----------------------------------------------------------------


def test_survivors_carry_the_posterior():
    rng = np.random.default_rng(12)
    y = rng.standard_normal((2000, 5))
    x, r = planted(y, 0.2, rng, 8), np.full(8, 0.2)
    kept = survivors_of(Tree.of(y), x, r)
    for q in range(8):
        index, weight, _ = kept[q]
        exact = posterior(y, x[q], 0.2)
        assert 0 < len(index) < 2000
        np.testing.assert_allclose(weight, exact.weights[index].astype(float), rtol=1e-11)
        deviations = y[index] - weight @ y[index]
        np.testing.assert_allclose((weight[:, None] * deviations).T @ deviations, exact.covariance(), atol=1e-11)


@pytest.mark.parametrize(("n", "dim"), [(3000, 1), (3000, 3), (3000, 14), (1500, 101), (600, 530)])
def test_the_same_points_survive_whoever_looks_for_them(n, dim):
    """Through the tree by any walk, or by all distances: index, weights and distances to the last bit."""
    rng = np.random.default_rng(17)
    y = rng.standard_normal((n, dim)) * np.arange(1, dim + 1) ** -0.5
    y[: n // 3] = y[-(n // 3) :]
    forest, sizes = Tree.of(y), []
    for r, skipped in ((1e-6, 1e-12), (0.02, 1e-12), (0.1, np.exp(-60)), (1.0, 0.1)):
        x = planted(y, r, rng, 7)
        expected = [survivors(y, query, r, skipped) for query in x]
        sizes += [len(one.index) for one in expected]
        for walk in walks(forest):
            for found, all_of_them in zip(survivors_of(forest, x, np.full(7, r), skipped, walk), expected, strict=True):
                assert same_bits(found, all_of_them)
    assert any(2 < size < n for size in sizes)


def test_broad_weights_are_given_up_and_condensed_ones_in_the_same_call_are_not():
    rng = np.random.default_rng(13)
    y = rng.standard_normal((20000, 6))
    x, r = planted(y, 1e-4, rng, 40), np.where(np.arange(40) % 2, 1e-4, 1e3)
    forest = Tree.of(y)
    for walk in (BOXES, Walk(0)):
        found = pruned_sums(forest, x, r, walk=walk)
        np.testing.assert_array_equal(found.finished, np.arange(40) % 2 == 1)
        assert np.all(found.certified[~found.finished] == 1)
        assert all(np.all(np.isfinite(field)) for field in found.sums)
        assert len(survivors_of(forest, x, r, walk=walk)[0].index) == 0


def test_a_query_out_of_reach_of_single_precision_is_given_up():
    y = np.random.default_rng(14).standard_normal((100, 2))
    found = pruned_sums(Tree.of(y), np.array([[1e30, 0.0], [0.1, 0.2], [1e200, 0.0]]), np.ones(3))
    np.testing.assert_array_equal(found.finished, [False, True, False])


def test_choice_tells_condensed_from_broad():
    rng = np.random.default_rng(15)
    y = rng.standard_normal((60000, 8))
    forest = Tree.of(y)
    condensed = prices(forest, planted(y, 0.01, rng, 50), np.full(50, 0.01))
    assert condensed.cheapest == BOXES
    assert condensed.finished == 1
    assert 1 <= condensed.survivors < 300
    broad = prices(forest, planted(y, 3.0, rng, 50), np.full(50, 3.0))
    assert broad.cheapest is None
    assert all(price > 0 for price in (condensed.brute_force, *condensed.walks.values()))


def test_isotropic_data_in_many_dimensions_want_products():
    rng = np.random.default_rng(16)
    y = rng.standard_normal((30000, 40))
    r = 0.2
    chosen = prices(Tree.of(y), planted(y, r, rng, 30), np.full(30, r))
    assert chosen.cheapest is not None
    assert chosen.cheapest > BOXES
    assert chosen.brute_force > chosen.walks[chosen.cheapest]
    assert chosen.walks[BOXES] > chosen.walks[chosen.cheapest]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[0.0, 1.0, 2.0]], [1.0]), "x has shape"),
        (([[0.0, np.nan]], [1.0]), "x ="),
        (([[0.0, 1.0]], [0.0]), "r ="),
        (([[0.0, 1.0]], [1.0], 0.0), "skipped ="),
        (([[0.0, 1.0]], [1.0], 1.0), "skipped ="),
        (([[0.0, 1.0]], [1.0], 1e-9, 7), "walk ="),
        (([[0.0, 1.0]], [1.0, 2.0]), "r has shape"),
    ],
)
def test_bad_queries(arguments, message):
    with pytest.raises(ValueError, match=message):
        pruned_sums(Tree.of(np.eye(2)), *arguments)


@pytest.mark.parametrize("points", [np.zeros(3), np.zeros((0, 2)), [[np.inf]]])
def test_bad_points(points):
    with pytest.raises(ValueError, match="points"):
        Tree.of(points)
