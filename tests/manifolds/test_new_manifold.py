"""A manifold that the package does not know, in a few lines, with everything that can be asked of a law."""

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import truncnorm

from remanifold.conventions.law import Draws, has_energies
from remanifold.figures.runs import simulate, sweep
from remanifold.manifolds import Manifold
from remanifold.manifolds.embedding import Embedding
from remanifold.manifolds.names import KINDS, Kind, manifold, name_of
from remanifold.simulations import clones, noisy_points, reverse
from remanifold.theory import critical_points, finite_size
from remanifold.theory.phase_diagram import critical_lines, noise_plane

Y, SHARE = (part / 2 if i else part for i, part in enumerate(np.polynomial.legendre.leggauss(300)))
PLANTED, CHANCE = (part / 2 if i else part for i, part in enumerate(np.polynomial.legendre.leggauss(24)))
XI, DENSITY = np.polynomial.hermite_e.hermegauss(16)
WEIGHT = np.outer(CHANCE, DENSITY / DENSITY.sum()).ravel()


class Segment(Manifold):
    """Uniform law on [-half, half]; averages by Gauss–Legendre over it and Gauss–Hermite over the noise."""

    intrinsic_dim = 1
    half: float

    def __init__(self, half: float, *, ambient_dim: int | None = None, basis=None, rng=None, centre=None):
        super().__init__(Embedding(1, ambient_dim, basis, rng, centre))
        self._set(half=float(half))

    def _sample(self, n, rng):
        return rng.uniform(-self.half, self.half, (n, 1))

    def _log_weights(self, z, r):
        return np.log(SHARE) - (z - self.half * Y) ** 2 / (2 * r)

    def _moment(self, z, r, k):
        log_weights = self._log_weights(z, r)
        weights = np.exp(log_weights - logsumexp(log_weights, axis=1, keepdims=True))
        return weights @ (self.half * Y) ** k

    def _log_partition(self, z, r):
        return logsumexp(self._log_weights(z, r), axis=1)

    def _posterior_mean(self, z, r):
        return self._moment(z, r, 1)[:, None]

    def _posterior_covariance(self, z, r):
        return (self._moment(z, r, 2) - self._moment(z, r, 1) ** 2)[:, None, None]

    def _noisy(self, noise):
        return (self.half * PLANTED[:, None] + np.sqrt(noise) * XI).reshape(-1, 1)

    def free_energy_gap(self, r, noise):
        gap = np.vectorize(lambda r, s: -s / (2 * r) - WEIGHT @ self._log_partition(self._noisy(s), r))
        return gap(r, noise)[()]

    def dimension(self, r):
        return np.vectorize(lambda r: WEIGHT @ self._posterior_covariance(self._noisy(r), r)[:, 0, 0] / r)(r)[()]

    def leading_variance(self):
        return self.half**2 / 3

    def _posterior_draws(self, x, r, rng):
        z, _ = self.embedding.split(x)
        ends = ([-self.half, self.half] - z) / np.sqrt(r)[:, None]
        return Draws(self.embedding.lift(z + np.sqrt(r)[:, None] * truncnorm.rvs(*ends.T, random_state=rng)[:, None]))


@pytest.fixture(autouse=True)
def named(monkeypatch):
    """One line where names are listed."""
    monkeypatch.setitem(KINDS, "segment", Kind(Segment, None, ("half", "ambient_dim"), "half=1"))


def test_it_is_a_value_with_a_name():
    law = manifold("segment:half=2,ambient_dim=3")
    assert law == Segment(2.0, ambient_dim=3)
    assert manifold(name_of(law)) == law
    assert law.replace(half=1.0) == manifold("segment:half=1,ambient_dim=3")


def test_theory():
    law, log_n = Segment(1.0), np.log(20)
    points = critical_points(law, log_n=log_n)
    # leading order at small noise, docs/curvature.md §3: I = ln 2 - ½ ln 2πe r + 0.903 √r (two ends, V = 2)
    r_c = points["collapse"].r
    assert np.log(2) - 0.5 * np.log(2 * np.pi * np.e * r_c) + 0.9032 * np.sqrt(r_c) == pytest.approx(log_n, abs=2e-3)
    assert points["onset of traps"].r > r_c
    assert "speciation" not in points
    lines = critical_lines(law, [log_n], tolerance=1e-4)
    assert lines.collapse[0] == pytest.approx(r_c, rel=1e-3)
    plane = noise_plane(law, [1.0, log_n], np.geomspace(r_c, 1.0, 6), tolerance=1e-3)
    assert plane.deficit[1, 0] == pytest.approx(0, abs=1e-2)
    assert not has_energies(law)
    with pytest.raises(ValueError, match="energies have a closed law"):
        finite_size.retrieval(law, log_n, r_c)


def test_dynamics(tmp_path):
    law, rng = Segment(1.0, ambient_dim=2), np.random.default_rng(0)
    path = reverse(law, noisy_points(law, 4.0, 4000, rng), [4.0, 0.3, 0.01, 0.0], rng)
    ends = path.x[-1]
    assert np.abs(ends[:, 0]).max() <= 1
    assert np.abs(ends[:, 1]).max() < 1e-12
    assert abs(np.mean(ends[:, 0] ** 2) - 1 / 3) < 4 * np.sqrt(4 / 45 / 4000)  # variance of y² is 4/45
    meeting = clones(law, [0.1], rng, n_pairs=4000)
    expected = 2 * 0.1 * law.dimension(0.1)
    assert abs(meeting.square_distance.mean[0] - expected) < 4 * meeting.square_distance.stderr[0]


def test_commands(tmp_path):
    record, paths = simulate.run("segment:half=1", 20, np.geomspace(1e-3, 1, 4), "exact", 50, 0, tmp_path)
    assert all(path.exists() for path in paths)
    assert record["collapse"]["predicted"] == pytest.approx(
        critical_points(Segment(1.0), log_n=np.log(20))["collapse"].r
    )
    asked = sweep.plan("segment", [10, 20], np.array([0.01, 0.1]), "dimension", "half=1,2", replicas=2, queries=50)
    numbers = sweep.computed(asked, tmp_path, 1, None)
    found = numbers["dimension_population"].sel(half=2, n=10).values
    np.testing.assert_allclose(found, Segment(2.0).dimension(np.array([0.01, 0.1])), rtol=1e-12)
