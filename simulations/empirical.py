"""The empirical score: exact posterior of N training points under Gaussian noise (docs/theory.md §3).

A perfectly trained, infinitely flexible denoiser returns the posterior mean of the *empirical* law
(1/N) Σ_μ δ(y - y^μ).  `EmpiricalScore` evaluates it, and everything that tells memorization from
generalization: participation, entropy, local divergence, Jacobian spectrum, and the empirical
information and dimension at scale r.  Names agree with those of the manifolds (population) and of
the models (networks), so that the three can be laid on one axis.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import eigh

from simulations.kernel import SKIP_BELOW, Sums, pack, posterior_sums
from theory import validation
from theory.estimate import Estimate

Array = NDArray[np.float64]
Indices = NDArray[np.integer[Any]]

# Largest |coordinate| and r (1/r likewise) whose squares and ratios stay finite in each precision.
_REACH = {"float64": (1e100, 1e100), "float32": (1e15, 1e30)}
_PANEL_BYTES = 2**19  # a panel and the running means of a chunk fit in the second-level cache


class Posterior(NamedTuple):
    """What the N points say about a query; arrays over queries, or single numbers for one query.

    `mean` is the posterior mean m (…, D), `log_density` the log of the noised empirical density,
    `participation` Y = Σ w² in [1/N, 1], `entropy` S = -Σ w ln w in nats, `nearest` the index of the
    nearest training point (the lowest on ties), `mean_square_distance` Σ w |x - y|².
    """

    mean: Any
    log_density: Any
    participation: Any
    entropy: Any
    nearest: Any
    mean_square_distance: Any


class EmpiricalScore:
    """Exact score of N training points `y` (N, D) noised to x = y + √r ξ.

    Queries `x` have shape (D,) or (n, D); results then lack or have the leading axis n.  The noise
    ratio `r` is one number, or for batched queries an array (n,).  All results are float64.

    dtype="float64": relative accuracy about 1e-13 from r = 1e-8 to 1e6, where rounding of the query
    itself permits.  dtype="float32": differences and exponentials in single precision, about twice as
    fast.  Points and queries are then rounded by δ ~ 6e-8 of the spread, so log-weights err by about
    δ |x-y|/r, that is δ √(D/r) at the noise level, and the mean by 1e-5 of the spread or less for
    r well above spread² D × 1e-5.
    `block` is the number of points per panel, a power of two ≥ 8; the default suits the cache.
    Memory: a centred copy of `y` and the panels, twice the data.

    ValueError: `y` empty, not (N, D), not finite or too large to square; unknown dtype; bad block;
    in the methods, x or r of wrong shape, r ≤ 0, or numbers out of reach of the precision.
    """

    def __init__(self, y: ArrayLike, dtype: str = "float64", block: int | None = None):
        validation.one_of(dtype, _REACH, "dtype")
        y = validation.numbers(y, "y")
        if y.ndim != 2 or y.size == 0:
            raise ValueError(f"y has shape {y.shape}: must have shape (N, D) with N ≥ 1, D ≥ 1")
        self.dtype = dtype
        self.n_points, self.ambient_dim = y.shape
        self._within_reach(y, "y")
        self._centre = _centre(y)
        self._points = y - self._centre
        self._panels = pack(self._points, self._block(block), dtype)

    # ---- one pass over the points ---------------------------------------------------------------

    def observe(self, x: ArrayLike, r: ArrayLike) -> Posterior:
        """All posterior observables of `Posterior` from a single pass over the points."""
        queries, ratios, single = self._queries(x, r)
        sums = posterior_sums(self._panels, self.n_points, queries, ratios)
        posterior = Posterior(sums.mean + self._centre, self._log_density(sums, ratios), *sums[2:])
        return Posterior(*(field[0] for field in posterior)) if single else posterior

    def posterior_mean(self, x: ArrayLike, r: ArrayLike) -> Array:
        """m(x, r) = Σ_μ w_μ y^μ, the optimal denoiser of the training set; shape of x."""
        return self.observe(x, r).mean

    def score(self, x: ArrayLike, r: ArrayLike) -> Array:
        """∇ log p(x) = (m - x)/r; shape of x."""
        queries, ratios, single = self._queries(x, r)
        sums = posterior_sums(self._panels, self.n_points, queries, ratios)
        score = (sums.mean - queries) / ratios[:, None]
        return score[0] if single else score

    def log_density(self, x: ArrayLike, r: ArrayLike) -> Any:
        """ln[(1/N) Σ_μ (2πr)^{-D/2} exp(-|x-y^μ|²/2r)], nats."""
        return self.observe(x, r).log_density

    def participation(self, x: ArrayLike, r: ArrayLike) -> Any:
        """Y = Σ_μ w_μ²: 1/N when all points count alike, 1 when one has condensed."""
        return self.observe(x, r).participation

    def weight_entropy(self, x: ArrayLike, r: ArrayLike) -> Any:
        """S = -Σ_μ w_μ ln w_μ in nats, between 0 and ln N."""
        return self.observe(x, r).entropy

    def local_divergence(self, x: ArrayLike, r: ArrayLike) -> Any:
        """K(x, r) = KL(w ‖ uniform) = ln N - S in nats; saturates at ln N on condensation."""
        return np.maximum(np.log(self.n_points) - self.observe(x, r).entropy, 0.0)

    def nearest(self, x: ArrayLike) -> Any:
        """Index of the nearest training point (the lowest on ties); it does not depend on r."""
        return self.observe(x, 1.0).nearest

    # ---- second moments -------------------------------------------------------------------------

    def posterior_covariance(self, x: ArrayLike, r: ArrayLike) -> Array:
        """C(x, r) = Σ_μ w_μ (y^μ - m)(y^μ - m)ᵀ, shape (D, D) or (n, D, D).

        A second pass over the surviving points in float64; memory O(N + D²) besides the result.
        """
        queries, ratios, single = self._queries(x, r)
        covariances = np.empty((len(queries), self.ambient_dim, self.ambient_dim))
        for q, (query, ratio) in enumerate(zip(queries, ratios, strict=True)):
            covariances[q] = self._covariance(*self._survivors(query, ratio))
        return covariances[0] if single else covariances

    def jacobian_spectrum(self, x: ArrayLike, r: ArrayLike, k: int | None = None) -> Array:
        """Eigenvalues of the score Jacobian J = -(1/r)(I - C/r), descending, shape (…, k), default k = D.

        Directions orthogonal to all surviving points have exactly -1/r; the smaller of the D × D
        covariance and the Gram matrix of the survivors is diagonalized.  The number of eigenvalues
        of C/r above ½ is the local dimension as in arXiv:2410.08727.
        """
        queries, ratios, single = self._queries(x, r)
        k = self.ambient_dim if k is None else validation.positive_integer(k, "k")
        if k > self.ambient_dim:
            raise validation.fail("k", k, f"must be at most the ambient dimension {self.ambient_dim}")
        spectra = np.zeros((len(queries), k))
        for q, (query, ratio) in enumerate(zip(queries, ratios, strict=True)):
            spectra[q] = -(1.0 - self._variances(query, ratio, k) / ratio) / ratio
        return spectra[0] if single else spectra

    # ---- averages over planted queries ----------------------------------------------------------

    def planted(self, r: ArrayLike, rng: np.random.Generator, n_queries: int = 512) -> tuple[Array, Any]:
        """Planted queries x = y^μ + √r ξ, shape (n, D), and the indices μ, spread evenly over the points."""
        ratio = validation.positive_scalar(r, "r")
        index, noise = self._plant(rng, validation.positive_integer(n_queries, "n_queries"))
        return self._points[index] + np.sqrt(ratio) * noise + self._centre, index

    def information(self, r: ArrayLike, rng: np.random.Generator, n_queries: int = 512) -> Estimate:
        """Empirical information I(μ; x) = E[ln N - S(x)] in nats; between 0 and ln N.

        Averaging the entropy of the weights, rather than ln w_1 of the planted point, is the
        Rao-Blackwell form of the same mean.  `r` of any shape; all r share their random numbers, so
        that curves are smooth.  ValueError: r ≤ 0, rng not a Generator, n_queries < 2.
        """

        def divergence(x: Array, r: float, sums: Sums) -> Array:
            return np.maximum(np.log(self.n_points) - sums.entropy, 0.0)

        return self._average(divergence, r, rng, n_queries)

    def dimension(self, r: ArrayLike, rng: np.random.Generator, n_queries: int = 512) -> Estimate:
        """Empirical dimension at scale r, d(r) = E tr C / r = -2 dI/d ln r; arguments as `information`.

        tr C = Σ w |x-y|² - |x-m|² cancels; what is left of rounding is about 1e-16 D in d(r).
        """

        def trace(x: Array, r: float, sums: Sums) -> Array:
            return np.maximum(sums.mean_square_distance - np.sum((x - sums.mean) ** 2, axis=1), 0.0) / r

        return self._average(trace, r, rng, n_queries)

    # ---- inner workings; all coordinates centred ------------------------------------------------

    def _within_reach(self, values: Array, argument: str) -> None:
        reach, _ = _REACH[self.dtype]
        largest = max(values.max(), -values.min())
        if largest > reach:
            allowed = f"must not exceed {reach:g}, so that squares stay finite in {self.dtype}"
            raise ValueError(f"max |{argument}| = {largest:g}: {allowed}")

    def _block(self, block: int | None) -> int:
        if block is None:
            fits = _PANEL_BYTES // (self.ambient_dim * np.dtype(self.dtype).itemsize)
            enough = max(8, 1 << (self.n_points - 1).bit_length())
            return min(enough, max(32, min(256, 1 << max(fits, 1).bit_length() - 1)))
        block = validation.positive_integer(block, "block")
        if block < 8 or block & (block - 1):
            raise validation.fail("block", block, "must be a power of two ≥ 8")
        return block

    def _queries(self, x: ArrayLike, r: ArrayLike) -> tuple[Array, Array, bool]:
        """Centred queries (n, D), noise ratios (n,), and whether x was a single point."""
        queries = validation.points(x, self.ambient_dim)
        self._within_reach(queries, "x")
        single = np.ndim(x) == 1
        ratios = self._ratios(r)
        if ratios.ndim and (single or ratios.shape != (len(queries),)):
            allowed = "a number" if single else f"a number or an array of shape ({len(queries)},)"
            raise ValueError(f"r has shape {ratios.shape}: must be {allowed}")
        return queries - self._centre, np.broadcast_to(ratios, len(queries)), single

    def _ratios(self, r: ArrayLike) -> Array:
        ratios = validation.positive(r, "r")
        _, reach = _REACH[self.dtype]
        if ratios.size and (ratios.max() > reach or ratios.min() < 1 / reach):
            raise validation.fail("r", r, f"must lie between {1 / reach:g} and {reach:g} in {self.dtype}")
        return ratios

    def _log_density(self, sums: Sums, r: Array) -> Array:
        return sums.log_sum - np.log(self.n_points) - 0.5 * self.ambient_dim * np.log(2 * np.pi * r)

    def _survivors(self, x: Array, r: float) -> tuple[Indices, Array]:
        """Points that keep a weight, and those weights; the rest has less than 1e-26 in total."""
        square_distances = np.empty(self.n_points)
        rows = max(1, _PANEL_BYTES // (8 * self.ambient_dim))
        for start in range(0, self.n_points, rows):
            part = slice(start, start + rows)
            difference = self._points[part] - x
            square_distances[part] = np.einsum("nd,nd->n", difference, difference)
        logits = (square_distances.min() - square_distances) / (2 * r)
        kept = np.flatnonzero(logits >= -SKIP_BELOW - np.log(self.n_points))
        weights = np.exp(logits[kept])
        return kept, weights / weights.sum()

    def _covariance(self, kept: Indices, weights: Array) -> Array:
        """Weighted covariance of the points `kept`, a block of rows at a time."""
        rows = max(1, _PANEL_BYTES // (8 * self.ambient_dim), self.ambient_dim)
        blocks = [slice(start, start + rows) for start in range(0, len(kept), rows)]
        mean = sum(weights[part] @ self._points[kept[part]] for part in blocks)
        covariance = np.zeros((self.ambient_dim, self.ambient_dim))
        for part in blocks:
            half = np.sqrt(weights[part])[:, None] * (self._points[kept[part]] - mean)
            covariance += half.T @ half
        return covariance

    def _variances(self, x: Array, r: float, k: int) -> Array:
        """The k largest eigenvalues of the posterior covariance, descending."""
        kept, weights = self._survivors(x, r)
        if len(kept) >= self.ambient_dim:
            matrix = self._covariance(kept, weights)
        else:
            deviations = self._points[kept] - weights @ self._points[kept]
            half = np.sqrt(weights)[:, None] * deviations
            matrix = half @ half.T
        size = len(matrix)
        variances = np.zeros(k)
        wanted = [size - min(k, size), size - 1]
        leading = eigh(matrix, eigvals_only=True, subset_by_index=wanted, check_finite=False)[::-1]
        variances[: len(leading)] = np.maximum(leading, 0.0)
        return variances

    def _plant(self, rng: np.random.Generator, n_queries: int) -> tuple[Indices, Array]:
        """Stratified indices μ and unit noise ξ: the random numbers of planted queries."""
        rng = validation.generator(rng)
        # A permutation even for whole rounds: a generator seeded like the one that drew the data
        # would otherwise give noise equal to the points.
        index = rng.permutation(self.n_points)[np.arange(n_queries) % self.n_points]
        return index, rng.standard_normal((n_queries, self.ambient_dim))

    def _average(self, observable: Any, r: ArrayLike, rng: np.random.Generator, n_queries: int) -> Estimate:
        """Mean of observable(x, r, sums) over planted queries, for every r with the same (μ, ξ)."""
        ratios = self._ratios(r)
        if validation.positive_integer(n_queries, "n_queries") < 2:
            raise validation.fail("n_queries", n_queries, "must be ≥ 2, for an error bar")
        index, noise = self._plant(rng, n_queries)
        samples = np.empty((ratios.size, n_queries))
        for row, ratio in zip(samples, ratios.flat, strict=True):
            x = self._points[index] + np.sqrt(ratio) * noise
            sums = posterior_sums(self._panels, self.n_points, x, np.full(n_queries, ratio))
            row[:] = observable(x, ratio, sums)
        return Estimate.of(samples.reshape(*ratios.shape, n_queries))


def _centre(y: Array) -> Array:
    """A point amid the data, on the grid of powers of two above the spread of each coordinate.

    Subtracting it removes a large common offset, which matters in float32, and leaves data without
    one, and integers, exactly as they are: ties between distances survive.
    """
    low, high = y.min(axis=0), y.max(axis=0)
    spread = np.where(high > low, high - low, 1.0)
    grid = np.exp2(np.ceil(np.log2(spread)))
    return np.where(high > low, np.rint(y.mean(axis=0) / grid) * grid, low)
