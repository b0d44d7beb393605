"""Widths of the transition, and how fast the scaling forms approach the exact averages."""

import math

import numpy as np
import pytest
from finite_size_table import isotropic_rows
from scipy.optimize import brentq
from scipy.special import gammaln

from remanifold.manifolds import Linear, Mixture, NormalizedLinear, Product, Sphere
from remanifold.theory import collapse, finite_size
from remanifold.theory.finite_size.scaling import (
    InformationVariance,
    annealed_form,
    information_variance,
    leading_form,
    random_energy_form,
)

PRODUCT = Product([Sphere(2), Linear([0.5])])


def sampled_variance(law, r, n):
    """Variance of i(y;x) = -|x-y|²/2r - φ(x, r), and its standard error."""
    rng = np.random.default_rng(2)
    y = law.sample(n, rng)
    x = y + np.sqrt(r) * rng.standard_normal(y.shape)
    density = -np.sum((x - y) ** 2, axis=1) / (2 * r) - law.log_partition(x, r)
    squares = (density - density.mean()) ** 2
    return squares.mean(), squares.std() / math.sqrt(n)


@pytest.mark.parametrize("r", [1e-3, 0.3, 1.0, 20.0])
def test_variance_of_a_linear_manifold_is_its_dimension(r):
    law = Linear([1.0] * 5 + [0.1] * 8)
    found = information_variance(law, r)
    occupied = law.variances / (law.variances + r)
    assert found.total == pytest.approx(float(law.dimension(r)), rel=1e-5)
    assert found.between == pytest.approx(0.5 * np.sum(occupied**2), rel=1e-5)


@pytest.mark.parametrize(
    ("law", "n"), [(Sphere(3, 2.0), 3000), (Mixture.two_gaussians(4), 200_000), (PRODUCT, 3000)], ids=repr
)
def test_variance_by_sampling(law, n):
    for r in (0.05, 3.0):
        mean, error = sampled_variance(law, r, n)
        exact = information_variance(law, r).total
        assert abs(mean - exact) < 4 * math.hypot(error, 2e-3 * exact)


def test_variance_adds_over_factors():
    parts = Linear([1.0] * 3), Sphere(2)
    whole = information_variance(Product(parts), 0.4)
    sums = np.sum([information_variance(part, 0.4) for part in parts], axis=0)
    np.testing.assert_allclose(whole, sums, rtol=5e-3)


def at_distance(d, log_n, widths):
    """r of an isotropic manifold at which ln N - I is so many √V."""
    law = Linear([1.0] * d)
    centre = math.log(collapse(law, log_n=log_n))

    def excess(log_r):
        r = math.exp(log_r)
        return log_n - float(law.information(r)) - widths * math.sqrt(float(law.dimension(r)))

    return law, math.exp(brentq(excess, centre - 4, centre + 4))


@pytest.mark.parametrize("widths", [-1.5, 0.0, 1.5])
@pytest.mark.parametrize("d", [16, 64, 500])
def test_random_energy_form_converges(d, widths):
    """ln N = d/4. Errors fall as d^-1 (E w_1) and d^-1/2 (excess entropy): 0.16/d and 0.13/√d nats cover them."""
    log_n = d / 4
    law, r = at_distance(d, log_n, widths)
    form = random_energy_form(log_n - float(law.information(r)), information_variance(law, r))
    assert abs(form.retrieval - finite_size.retrieval(law, log_n, r)) < 0.16 / d
    assert abs(form.excess_entropy - finite_size.excess_entropy(law, log_n, r)) < 0.13 / math.sqrt(d)


@pytest.mark.parametrize("d", [16, 128, 2000])
def test_annealed_form_stays_high_at_collapse(d):
    """By 0.2 to 0.31 nat at all sizes: the others' partition function is typically below its mean at freezing."""
    law, r = at_distance(d, d / 4, 0.0)
    form = annealed_form(0.0, float(law.dimension(r)))
    assert 0.2 < form.excess_entropy - finite_size.excess_entropy(law, d / 4, r) < 0.5 * math.log(2)


def test_forms_agree_far_from_the_transition():
    distance, variance = np.array([-60.0, 60.0]), InformationVariance(20.0, 80.0)
    for form in (
        leading_form(distance, 100.0),
        annealed_form(distance, 100.0),
        random_energy_form(distance, variance),
    ):
        np.testing.assert_allclose(form.retrieval, [1.0, 0.0], atol=1e-6)
        np.testing.assert_allclose(form.excess_entropy, [0.0, 60.0], atol=1e-4)


def test_random_energy_form_without_spread_is_a_poisson_number_of_equals():
    distance = np.array([-3.0, -1.0, 0.0, 2.0, 5.0])
    form = random_energy_form(distance, InformationVariance(0.0, 1e-10))
    count = np.arange(2000)
    for i, mean in enumerate(np.exp(distance)):
        weight = np.exp(count * np.log(mean) - mean - gammaln(count + 1))
        assert form.retrieval[i] == pytest.approx(np.sum(weight / (1 + count)), abs=1e-6)
        assert form.excess_entropy[i] == pytest.approx(np.sum(weight * np.log1p(count)), rel=1e-6)


def test_random_energy_form_by_sampling():
    """N - 1 Gaussian log-weights, and one from the law that they tilt: E z ∝ e^{g}, g ~ N(0, V)."""
    n, variance, rng = 3000, 9.0, np.random.default_rng(4)
    log_n = math.log(n)
    others = 3.0 * rng.standard_normal((4000, n - 1))
    own = 3.0 * rng.standard_normal(4000) + variance
    log_ratio = np.logaddexp.reduce(others, axis=1) - own
    entropy = np.logaddexp(0, log_ratio)
    form = random_energy_form(log_n - variance / 2, InformationVariance(0.0, variance))
    assert abs(entropy.mean() - form.excess_entropy) < 4 * entropy.std() / math.sqrt(4000) + 2e-3
    weight = np.exp(-entropy)
    assert abs(weight.mean() - form.retrieval) < 4 * weight.std() / math.sqrt(4000) + 1e-3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: information_variance(NormalizedLinear([1.0, 1.0]), 1.0), "needs a law whose energies"),
        (lambda: information_variance(Linear([1.0]), 0.0), "r = 0.0: must be > 0"),
        (lambda: annealed_form(math.nan, 1.0), "distance = nan"),
        (lambda: annealed_form(0.0, -1.0), "variance = -1.0"),
        (lambda: leading_form(0.0, 0.0), "variance = 0.0"),
        (lambda: random_energy_form(0.0, InformationVariance(1.0, 0.0)), "variance.within = 0.0"),
        (lambda: random_energy_form(0.0, InformationVariance(-1.0, 1.0)), "variance.between = -1.0"),
    ],
)
def test_bad_scaling_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.slow
def test_table_of_simulations():
    """d = 4 … 64, N = 10 … 10⁵, r/r_c = 0.3 … 3: 125 values each of E w_1 and the excess entropy."""
    rows = list(isotropic_rows())
    for quantity in ("E w1", "excess"):
        z = np.array([row.z for row in rows if row.quantity == quantity])
        assert np.abs(z).max() < 4
        assert abs(np.mean(z**2) - 1) < 4 * math.sqrt(2 / len(z))
