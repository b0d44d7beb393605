"""Finite-size theory against simulations of N stored points: the tables of docs/finite_size.md.

Run from the repository root: `.venv/bin/python tests/theory/finite_size_table.py` prints both tables; the slow tests of
finite_size/test_mixtures.py and finite_size/test_scaling.py check them.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp
from scipy.stats import norm, t

from remanifold.manifolds import Linear, Manifold, Mixture
from remanifold.simulations import EmpiricalScore
from remanifold.theory import OrnsteinUhlenbeck, collapse, finite_size

SCALES = (0.3, 0.7, 1.0, 1.4, 3.0)  # r/r_c


class Row(NamedTuple):
    d: int
    n: int
    scale: float
    quantity: str
    exact: float
    measured: float
    stderr: float
    z: float


def log_weights(law: Manifold, n: int, ratios: np.ndarray, sets: int, queries: int, rng: np.random.Generator):
    """ln w_1 at `queries` noised points of each of `sets` data sets, shape (ratios, sets, queries)."""
    result = np.empty((len(ratios), sets, queries))
    for i in range(sets):
        y = law.sample(n, rng)
        score = EmpiricalScore(y)
        for j, r in enumerate(ratios):
            x, index = score.planted(r, rng, queries)
            own = -np.sum((x - y[index]) ** 2, axis=1) / (2 * r)
            total = score.log_density(x, r) + 0.5 * law.ambient_dim * np.log(2 * np.pi * r) + np.log(n)
            result[j, i] = own - total
    return result


def small_log_weights(law: Manifold, n: int, ratios: np.ndarray, sets: int, rng: np.random.Generator):
    """The same for one query in each of many small data sets, all independent, shape (ratios, sets, 1)."""
    y = law.sample(n * sets, rng).reshape(sets, n, law.ambient_dim)
    result = np.empty((len(ratios), sets, 1))
    for j, r in enumerate(ratios):
        x = y[:, 0] + np.sqrt(r) * rng.standard_normal((sets, law.ambient_dim))
        energy = -np.sum((x[:, None] - y) ** 2, axis=2) / (2 * r)
        result[j, :, 0] = energy[:, 0] - logsumexp(energy, axis=1)
    return result


def normal_score(samples: np.ndarray, exact: float) -> tuple[float, float, float]:
    """Mean, standard error and the z of independent `samples`; few samples have heavier tails: Student's t."""
    mean, error = samples.mean(), samples.std(ddof=1) / np.sqrt(len(samples))
    ratio = (mean - exact) / error
    return mean, error, float(-norm.ppf(t.sf(ratio, len(samples) - 1)))


def isotropic_rows(dims=(4, 8, 16, 32, 64), sizes=(10, 100, 1000, 10_000, 100_000), seed=0) -> Iterator[Row]:
    """E w_1 and the excess entropy for N points of N(0, 1) in d dimensions, d × N × r/r_c."""
    for d in dims:
        law = Linear([1.0] * d)
        for n in sizes:
            rng = np.random.default_rng([seed, d, n])
            r_c = collapse(law, log_n=np.log(n))
            ratios = r_c * np.array(SCALES)
            if n <= 100:
                weights = small_log_weights(law, n, ratios, 20_000, rng)
            else:
                sets = 40 if n < 100_000 else 20
                weights = log_weights(law, n, ratios, sets, 250 if n < 100_000 else 128, rng)
            for scale, r, values in zip(SCALES, ratios, weights, strict=True):
                for quantity, sample, exact in (
                    ("E w1", np.exp(values).mean(axis=1), finite_size.retrieval(law, np.log(n), r)),
                    ("excess", -values.mean(axis=1), finite_size.excess_entropy(law, np.log(n), r)),
                ):
                    yield Row(d, n, scale, quantity, exact, *normal_score(sample, exact))


class Curve(NamedTuple):
    """Excess entropy per dimension of two Gaussians (arXiv 2402.18491), n = 20000, against OU time."""

    time: np.ndarray
    measured: np.ndarray
    stderr: np.ndarray
    exact: np.ndarray
    asymptotic: np.ndarray  # max(0, ln n - I)/d
    published: np.ndarray  # max(0, ln n - (d/2) ln(1 + 1/r))/d: one Gaussian for both classes

    def rms(self, theory: np.ndarray) -> float:
        return float(np.sqrt(np.mean((theory - self.measured) ** 2)))


def two_gaussians_curve(d: int, n: int = 20_000, queries: int = 400, points: int = 11, seed=0) -> Curve:
    """|m|² = d, unit variance; times on both sides of the collapse time t_C."""
    law, log_n, process = Mixture.two_gaussians(d), np.log(n), OrnsteinUhlenbeck()
    t_c = process.time(collapse(law, log_n=log_n))
    times = t_c * np.linspace(0.7, 1.3, points)
    ratios = np.array([float(process.noise_ratio(time)) for time in times])
    sets = 2 if d > 1000 else 4
    weights = log_weights(law, n, ratios, sets, queries // sets, np.random.default_rng([seed, d]))
    entropy = -weights.reshape(points, -1) / d
    return Curve(
        times / t_c,
        entropy.mean(axis=1),
        entropy.std(axis=1, ddof=1) / np.sqrt(entropy.shape[1]),
        np.array([finite_size.excess_entropy(law, log_n, r) for r in ratios]) / d,
        np.maximum(0.0, log_n - law.information(ratios)) / d,
        np.maximum(0.0, log_n - 0.5 * d * np.log1p(1 / ratios)) / d,
    )


def main() -> None:
    rows = list(isotropic_rows())
    print("| d | N | r/r_c | E w1 exact | simulated | z | excess exact [nats] | simulated | z |")
    print("|---|---|---|---|---|---|---|---|---|")
    for w, e in zip(rows[::2], rows[1::2], strict=True):
        print(
            f"| {w.d} | {w.n} | {w.scale} | {w.exact:.4f} | {w.measured:.4f} ± {w.stderr:.4f} | {w.z:+.1f} "
            f"| {e.exact:.4f} | {e.measured:.4f} ± {e.stderr:.4f} | {e.z:+.1f} |"
        )
    for quantity in ("E w1", "excess"):
        z = np.array([row.z for row in rows if row.quantity == quantity])
        print(f"{quantity}: {len(z)} values, chi2/n = {np.mean(z**2):.2f}, largest |z| = {np.abs(z).max():.1f}")
    for d in (256, 1024, 4096):
        curve = two_gaussians_curve(d)
        print(
            f"\nd = {d}: RMS error of the excess entropy per dimension, statistical error "
            f"{np.sqrt(np.mean(curve.stderr**2)):.2e}"
        )
        for name in ("exact", "asymptotic", "published"):
            print(f"  {name}: {curve.rms(getattr(curve, name)):.2e}")
        print("| t/t_C | simulated | exact | asymptotic | published |\n|---|---|---|---|---|")
        for i, time in enumerate(curve.time):
            print(
                f"| {time:.2f} | {curve.measured[i]:.5f} ± {curve.stderr[i]:.5f} | {curve.exact[i]:.5f} "
                f"| {curve.asymptotic[i]:.5f} | {curve.published[i]:.5f} |"
            )


if __name__ == "__main__":
    main()
