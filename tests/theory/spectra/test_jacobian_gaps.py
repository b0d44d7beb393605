"""Gaps of the Jacobian, the phases they mark, and finite matrices against the limiting laws."""

import math

import mpmath
import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize_scalar

from remanifold.theory import spectra

PAPER = [([1.0, 0.01], [0.25, 0.75]), ([1.0, 0.01], [0.75, 0.25])]  # D = 100, m = 40 and the swap


def eigenvalues(dim, variances, counts, count, rng, of="columns"):
    """Eigenvalues of F Fᵀ, shape (count, dim); `counts` columns (or rows) of each variance."""
    tau = np.repeat(variances, counts)
    m = len(tau) if of == "columns" else sum(counts) * 2 // 5
    scale = np.sqrt(tau / m) if of == "columns" else np.sqrt(tau / m)[:, None]
    return np.array([np.linalg.svd(rng.standard_normal((dim, m)) * scale, compute_uv=False) ** 2 for _ in range(count)])


# finite matrices; each mean over D has a correction c/D, which two sizes remove: 2 f(2D) - f(D)


@pytest.mark.parametrize(("of", "variances", "weights"), [
    ("columns", [1.0, 0.01], [0.25, 0.75]),
    ("columns", [1.0, 0.01], [0.75, 0.25]),
    ("rows", [1.0, 0.04], [0.3, 0.7]),
])  # fmt: skip
def test_information_and_moments_of_sampled_matrices(of, variances, weights):
    rng = np.random.default_rng(1)
    law = spectra.covariance_law(variances, weights, aspect=0.4, of=of)
    functions = {
        "information": (lambda x: 0.5 * np.log1p(x / 0.01), law.information(0.01)),
        "dimension": (lambda x: x / (x + 0.01), law.dimension(0.01)),
        "second moment": (lambda x: x**2, law.moments(3)[2]),
        "third moment": (lambda x: x**3, law.moments(3)[3]),
    }
    samples = {}
    for dim, count in ((50, 1600), (100, 800)):
        total = dim * 2 // 5 if of == "columns" else dim
        counts = np.round(np.array(weights) * total).astype(int)
        assert np.allclose(counts / total, weights)
        samples[dim] = eigenvalues(dim, variances, counts, count, rng, of)
    for f, expected in functions.values():
        small, large = (f(x).sum(axis=1) / dim for dim, x in samples.items())
        error = math.hypot(2 * stats.sem(large), stats.sem(small))
        assert abs(2 * large.mean() - small.mean() - expected) < 4 * error + 0.3 / 100**2
        assert error < 0.02 * expected


@pytest.mark.parametrize(("variances", "weights"), PAPER)
def test_counting_function_of_sampled_matrices(variances, weights):
    """At D = 100, m = 40 already the mean number of eigenvalues below γ is D·N(γ) within a third of one eigenvalue."""
    rng = np.random.default_rng(2)
    law = spectra.covariance_law(variances, weights, aspect=0.4)
    for dim, count in ((100, 300), (500, 12)):
        counts = np.array(weights) * 0.4 * dim
        sampled = eigenvalues(dim, variances, counts.astype(int), count, rng)
        gamma = np.concatenate([low + (high - low) * np.linspace(0.02, 0.98, 25) for low, high in law.edges])
        below = 0.6 * dim + (sampled[:, :, None] < gamma).sum(axis=1)
        deviation = below.mean(axis=0) - dim * law.cumulative(gamma)
        assert np.all(np.abs(deviation) < 0.35 + 4 * stats.sem(below, axis=0))
        outside = (sampled < law.edges[0, 0] * 0.7) | (sampled > law.edges[-1, 1] * 1.15)
        between = (sampled > law.edges[0, 1] * 1.3) & (sampled < law.edges[1, 0] * 0.7)
        assert between.sum() == 0  # exact separation, at finite D already
        assert outside.sum() <= 0.05 * count


def test_extreme_eigenvalues_approach_the_edges():
    """Distance of the outermost eigenvalues from the edges, D^{-2/3} (Tracy–Widom)."""
    rng = np.random.default_rng(3)
    law = spectra.covariance_law([1.0, 0.01], [0.25, 0.75], aspect=0.4)
    top = {
        dim: [eigenvalues(dim, [1.0, 0.01], [dim // 10, dim * 3 // 10], 1, rng).max() for _ in range(100 * 100 // dim)]
        for dim in (100, 800)
    }
    shift = {dim: (np.mean(values) / law.edges[-1, 1] - 1) * dim ** (2 / 3) for dim, values in top.items()}
    assert all(-3 < s < 0 for s in shift.values())
    assert np.std(top[800]) < 0.6 * np.std(top[100])  # (1/8)^{2/3} = 0.25


# the Jacobian


@pytest.mark.parametrize("r", [0.003, 0.1, 2.0])
def test_jacobian_density(r):
    law = spectra.covariance_law([1.0, 0.01], [0.25, 0.75], aspect=0.4)
    jacobian = spectra.jacobian_density(law, r)
    assert jacobian.spike == pytest.approx(0.6)
    np.testing.assert_allclose(jacobian.weights, [0.3, 0.1])
    first = 0.0
    for (low, high), weight in zip(jacobian.edges, jacobian.weights, strict=True):
        theta = (np.arange(800) + 0.5) * math.pi / 800
        x = low + (high - low) * np.sin(theta / 2) ** 2
        mass = jacobian.density(x) * np.sin(theta) * 0.5 * (high - low) * math.pi / 800
        assert mass.sum() == pytest.approx(weight, rel=1e-9)
        first += mass @ x
    assert first - jacobian.spike == pytest.approx(float(law.dimension(r)) - 1, rel=1e-9)  # tr rJ/D = d(r)/D - 1
    assert np.all(jacobian.density([-2.0, -1.0, 0.0, 1.0]) == 0)


def test_jacobian_of_marchenko_pastur():
    law = spectra.marchenko_pastur(0.4, 2.0)
    values = np.linspace(-0.999, -0.001, 200)
    same = spectra.jacobian_density(spectra.covariance_law([2.0], aspect=0.4), 0.5)
    np.testing.assert_allclose(spectra.jacobian_density(law, 0.5).density(values), same.density(values), rtol=1e-11)
    np.testing.assert_allclose(spectra.jacobian_density(law, 0.5).edges, same.edges, rtol=1e-12)


def gap_in_jacobian(law, index, r):
    """Width of the gap below bulk `index`, from the edges of the Jacobian's law."""
    edges = spectra.jacobian_density(law, r).edges
    return edges[index, 0] - (edges[index - 1, 1] if index else -1.0)


@pytest.mark.parametrize(("variances", "weights"), [*PAPER, ([1.0, 0.1, 0.001], [0.2, 0.3, 0.5])])
def test_gaps_open_widen_and_close(variances, weights):
    law = spectra.covariance_law(variances, weights, aspect=0.2)
    found = spectra.gaps(law)
    assert [gap.final for gap in found] == [True] + [False] * (len(variances) - 1)
    fractions = 0.2 * np.cumsum(np.array(weights))[::-1]  # variances fall: of the whole manifold, then of the strongest
    np.testing.assert_allclose([gap.fraction for gap in found], fractions, rtol=1e-12)
    for index, gap in enumerate(found):
        for r in (1e-4, 0.05, 3.0):
            assert gap.size(r) == pytest.approx(gap_in_jacobian(law, index, r), rel=1e-12)
        if gap.final:
            closing, opening = gap.visible(0.3)
            assert closing == 0 == gap.widest
            assert gap_in_jacobian(law, index, opening) == pytest.approx(0.3, rel=1e-12)
            assert gap_in_jacobian(law, index, 1e-9) == pytest.approx(gap.widest_size, rel=1e-5)
            continue
        best = minimize_scalar(
            lambda x, index=index: -gap_in_jacobian(law, index, math.exp(x)),
            bracket=(-12.0, math.log(gap.widest) + 0.3, 5.0),
            tol=1e-12,
        )
        assert gap.widest == pytest.approx(math.exp(best.x), rel=1e-6)
        assert gap.widest_size == pytest.approx(-best.fun, rel=1e-12)
        for share in (0.5, 0.999, 1 - 1e-8):
            closing, opening = gap.visible(share * gap.widest_size)
            for r in (closing, opening):
                assert gap_in_jacobian(law, index, r) == pytest.approx(share * gap.widest_size, rel=1e-12)
            assert closing < gap.widest < opening
        assert gap.visible(gap.widest_size * 1.0001) is None


def test_no_final_gap_without_normal_directions():
    assert spectra.gaps(spectra.marchenko_pastur(1.0)) == ()
    assert spectra.gaps(spectra.marchenko_pastur(3.0)) == ()
    assert spectra.gaps(spectra.covariance_law([1.0, 0.9], aspect=49.0, of="rows")) == ()  # 49·(1/49) < 1 in floats
    (gap,) = spectra.gaps(spectra.marchenko_pastur(0.4, 2.0))
    assert gap.above == pytest.approx(2 * (1 - math.sqrt(2.5)) ** 2)
    assert gap.visible(0.5) == pytest.approx((0.0, gap.above))
    # 160 columns in 100 dimensions, but only 40 of them strong: an intermediate gap and no final one
    (between,) = spectra.gaps(spectra.covariance_law([1.0, 1e-4], [0.25, 0.75], aspect=1.6))
    assert not between.final
    assert between.fraction == pytest.approx(0.4)


@pytest.mark.parametrize("ratio", [1e-6, 0.01, 0.3, 0.9])
@pytest.mark.parametrize("share", [1e-3, 0.25, 0.75])
def test_two_variance_phase_boundary(ratio, share):
    (critical,) = spectra.critical_aspects([ratio, 1.0], [1 - share, share])
    mp = mpmath.mp.clone()
    mp.dps = 30
    root = mp.cbrt((1 - mp.mpf(share)) * mp.mpf(ratio) ** 2) + mp.cbrt(share)
    assert critical == pytest.approx(float((1 - mp.mpf(ratio)) ** 2 / root**3), rel=1e-10)
    for factor, bulks in ((1 - 1e-6, 2), (1 + 1e-6, 1)):
        law = spectra.covariance_law([ratio, 1.0], [1 - share, share], aspect=critical * factor)
        assert len(law.edges) == bulks


def test_phase_boundaries_of_four_variances():
    variances, weights = np.array([0.01, 0.1, 0.5, 2.0]), np.array([0.1, 0.4, 0.2, 0.3])
    critical = spectra.critical_aspects(variances, weights)
    bulks = [
        len(spectra.covariance_law(variances, weights, aspect=a).edges) for a in (*critical * 0.999, *critical * 1.001)
    ]
    expected = [1 + np.sum(critical > a) for a in (*critical * 0.999, *critical * 1.001)]
    assert bulks == expected
    assert len(set(bulks)) == 4


def test_strong_subspace_that_fills_the_space():
    """τ_1/τ_2 → 0: the gap lives as long as the m w_2 strong directions are fewer than D."""
    (critical,) = spectra.critical_aspects([1e-18, 1.0], [0.75, 0.25])
    assert critical == pytest.approx(4, rel=1e-5)


def test_phases():
    law = spectra.covariance_law([1.0, 0.01], [0.25, 0.75], aspect=0.4)
    boundaries = spectra.phases(law)
    assert boundaries == pytest.approx((law.edges[1, 1], law.edges[0, 0]))
    names = [boundaries.at(r) for r in (1e3, 1.01 * law.edges[1, 1], 0.99 * law.edges[1, 1], 1e-2, 1e-4)]
    assert names == ["trivial", "trivial", "manifold coverage", "manifold coverage", "consolidation"]
    assert spectra.phases(law, 0.2).consolidation == pytest.approx(spectra.gaps(law)[0].visible(0.2)[1])
    # a sampled manifold: symmetry breaks where the first direction stands out
    rng = np.random.default_rng(4)
    leading = eigenvalues(1000, [1.0, 0.01], [100, 300], 1, rng).max()
    assert boundaries.coverage == pytest.approx(leading, rel=3 * 1000 ** (-2 / 3))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda law: spectra.jacobian_density(law, 0.0), r"^r = 0.0: must be > 0"),
        (lambda law: spectra.jacobian_density(law, 1.0).density(math.nan), r"^eigenvalue = .*finite"),
        (lambda law: spectra.gaps(law)[0].size(-1.0), r"^r = .*must be > 0"),
        (lambda law: spectra.gaps(law)[0].visible(1.0), r"^threshold = 1.0: must be < 1"),
        (lambda law: spectra.gaps(law)[0].visible(0.0), r"^threshold = 0.0: must be > 0"),
        (lambda law: spectra.phases(law).at(0.0), r"^r = 0.0: must be > 0"),
        (lambda _: spectra.phases(spectra.marchenko_pastur(1.0)), r"^law = .*must have m < D"),
        (lambda _: spectra.critical_aspects([1.0], [1.0]), r"^variances = .*two or more"),
        (lambda _: spectra.critical_aspects([2.0, 1.0], [0.5, 0.5]), r"^variances = .*increasing"),
        (lambda _: spectra.critical_aspects([1.0, 2.0], [0.5, 0.6]), r"^weights = .*sum 1"),
    ],
)
def test_bad_arguments_of_gaps(call, message):
    with pytest.raises(ValueError, match=message):
        call(spectra.covariance_law([1.0, 0.01], aspect=0.4))
