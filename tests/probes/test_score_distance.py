"""Distances between scores, and the side of memorization, on scores whose distances are known."""

import numpy as np
import pytest
from scipy.integrate import quad

from remanifold.manifolds import Linear
from remanifold.models import LinearScore
from remanifold.probes import score_error, share_of_memory
from remanifold.simulations import EmpiricalScore

VARIANCES = np.array([1.0, 0.2])


def test_error_between_gaussians(rng):
    """E r |s - s*|² = r Σ (λ+r) [1/(λ'+r) - 1/(λ+r)]² over points of the law λ."""
    points = rng.standard_normal((40000, 2)) * np.sqrt(VARIANCES)
    r = np.array([0.1, 1.0])
    other = np.array([0.5, 0.5])
    total, wrong = VARIANCES + r[:, None], other + r[:, None]
    exact = r * np.sum(total * (1 / wrong - 1 / total) ** 2, axis=1)
    found = score_error(LinearScore(other), LinearScore(VARIANCES), points, r, rng)
    assert np.all(np.abs(found.mean - exact) < 4 * found.stderr)
    assert np.all(found.stderr < 0.02 * exact)


def test_error_integrates_to_the_information_lost(rng):
    """½ ∫ E r|s - s*|² d ln r = KL(law ‖ model), in nats (one Gaussian direction: ½[λ/λ' - 1 - ln λ/λ'])."""
    points, other = rng.standard_normal((2000, 1)), LinearScore([3.0])

    def error(log_r):
        return 0.5 * score_error(other, LinearScore([1.0]), points, np.exp(log_r), np.random.default_rng(0)).mean

    lost = quad(error, -14, 16, limit=60, epsabs=1e-4)[0]
    second = np.mean(points**2)  # of the sample, whose mean square enters linearly at small r
    assert lost == pytest.approx(0.5 * (1 / 3 - 1 + np.log(3)), abs=0.02 + abs(second - 1))


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_between_population_and_points(share, rng):
    law = Linear([1.0, 0.5, 0.1], ambient_dim=4)
    training = law.sample(15, rng)
    empirical, r = EmpiricalScore(training), 0.1

    def mixed(x, r):
        return (1 - share) * law.score(x, r) + share * empirical.score(x, r)

    found = share_of_memory(mixed, law, empirical, np.repeat(training, 20, axis=0), r, rng)
    assert found.memorized.mean == pytest.approx(share, abs=1e-12)
    assert found.memorized.stderr == pytest.approx(0, abs=1e-12)
    assert found.aside.mean == pytest.approx(0, abs=1e-12)
    assert found.to_population.mean == pytest.approx(share**2 * found.apart.mean, abs=1e-12)
    assert found.to_empirical.mean == pytest.approx((1 - share) ** 2 * found.apart.mean, abs=1e-12)


def test_an_unrelated_error_lies_aside_and_the_error_bar_is_honest(rng):
    law = Linear([1.0, 0.5], ambient_dim=2)
    training = law.sample(10, rng)
    empirical, r = EmpiricalScore(training), 0.1
    points = np.repeat(training, 20, axis=0)

    def disturbed(x, r):
        # of mean square 1/r per coordinate and independent of x
        return law.score(x, r) + rng.standard_normal(x.shape) / np.sqrt(r)

    found = [share_of_memory(disturbed, law, empirical, points, r, rng) for _ in range(200)]
    shares = np.array([one.memorized.mean for one in found])
    scatter, claimed = shares.std(ddof=1), np.mean([one.memorized.stderr for one in found])
    assert abs(shares.mean()) < 4 * scatter / np.sqrt(200)
    assert claimed == pytest.approx(scatter, rel=0.2)
    assert np.mean([one.aside.mean for one in found]) == pytest.approx(2, rel=0.05)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s, p, rng: score_error(s, s, p[:1], 1.0, rng), "points has shape"),
        (lambda s, p, rng: score_error(s, s, p, 0.0, rng), "r = 0.0"),
        (lambda s, p, rng: score_error(s, s, p, 1.0, 3), "rng = 3"),
        (lambda s, p, rng: share_of_memory(s, s, s, p, 1.0, rng), "do not differ"),
        (lambda s, p, rng: share_of_memory(s, s, s, p, [1.0, 2.0], rng), "r = "),
    ],
)
def test_bad_arguments(call, message, rng):
    with pytest.raises(ValueError, match=message):
        call(LinearScore(VARIANCES), rng.standard_normal((5, 2)), rng)
