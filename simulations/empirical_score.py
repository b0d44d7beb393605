"""The empirical score: exact posterior of N training points under Gaussian noise (docs/theory.md §3).

A perfectly trained, infinitely flexible denoiser returns the posterior mean of the *empirical* law
(1/N) Σ_μ δ(y - y^μ).  `EmpiricalScore` evaluates it, and everything that tells memorization from
generalization: participation, entropy, local divergence, Jacobian spectrum, and the empirical
information and dimension at scale r.  Names agree with those of the manifolds (population) and of
the models (networks), so that the three can be laid on one axis.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..conventions import arguments
from ..conventions.arguments import Array
from ..conventions.estimate import Estimate
from ..conventions.law import Draws
from ..conventions.score import LocalAverages
from .coordinates import Coordinates
from .engine.control_variates import controlled, planted_controls
from .engine.draw import draw_index
from .engine.planned_sums import Plan, PlannedSums
from .engine.planted_curve import planted_sums, smallest_ratio
from .engine.second_moments import covariance, leading_variances
from .engine.sums import Sums

Indices = NDArray[np.integer[Any]]

# Largest |coordinate| and r (1/r likewise) whose squares and ratios stay finite in each precision.
_REACH = {"float64": (1e100, 1e100), "float32": (1e15, 1e30)}
_SHARED_DISTANCES = (3, 64)  # noise ratios and dimensions from which a curve reuses its distances


class Observables(NamedTuple):
    """What the posterior of the N points says at a query; arrays over queries, or single numbers for one query.

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

    dtype="float64": relative accuracy about 1e-12 from r = 1e-10 to 1e10, where rounding of the query
    itself permits.  dtype="float32": posterior mean and log density good to 1e-5, several times faster.
    How a sum is done is chosen by r, N, D and the spectrum; `plan(r)` says how and why, `engine` = "plain",
    "vectors" (float32 only) or "pruned" overrides.  Points that span few of the D dimensions are
    treated in their span.  `block`: points per panel of the plain kernel, a power of two ≥ 8.

    Memory: `y` is kept by reference where it needs no centring (do not change it), else copied; besides, half to
    all of its size again for each kind of engine used.

    ValueError: `y` empty, not (N, D), not finite or too large to square; unknown dtype or engine; bad
    block; in the methods, x or r of wrong shape, r ≤ 0, or numbers out of reach of the precision.
    """

    def __init__(self, y: ArrayLike, dtype: str = "float64", block: int | None = None, engine: str = "auto"):
        arguments.one_of(dtype, _REACH, "dtype")
        y = arguments.numbers(y, "y")
        if y.ndim != 2 or y.size == 0:
            raise ValueError(f"y has shape {y.shape}: must have shape (N, D) with N ≥ 1, D ≥ 1")
        self.dtype = dtype
        self.n_points, self.ambient_dim = y.shape
        self._within_reach(y, "y")
        self._coordinates = Coordinates(y)
        self._points = self._coordinates.points
        self._engine = PlannedSums(self._points, dtype, engine, block)

    def __repr__(self) -> str:
        return f"EmpiricalScore(N={self.n_points}, D={self.ambient_dim}, dtype={self.dtype!r})"

    def plan(self, r: float) -> Plan:
        """How queries at noise ratio r are summed, and why; see `Plan`."""
        plan = self._engine.plan(float(self._ratios(arguments.positive_scalar(r, "r"))))
        if self.span_dim == self.ambient_dim:
            return plan
        return plan._replace(reason=f"{plan.reason}; {self.span_dim} of {self.ambient_dim} dimensions span the points")

    @property
    def span_dim(self) -> int:
        """Dimensions the engine works in: those of the span of the centred points if few, else D."""
        return self._points.shape[1]

    def training_points(self, index: ArrayLike) -> Array:
        """The training points y^μ of the given indices, shape (…, D), to rounding."""
        return self._coordinates.lift(self._points[np.asarray(index)]) + self._coordinates.centre

    # ---- one pass over the points ---------------------------------------------------------------

    def observe(self, x: ArrayLike, r: ArrayLike) -> Observables:
        """All `Observables` from a single pass over the points."""
        _, ratios, single, sums = self._sums(x, r)
        mean = np.add(sums.mean, self._coordinates.centre, out=sums.mean)
        seen = Observables(mean, self._log_density(sums, ratios), *sums[2:])
        return Observables(*(field[0] for field in seen)) if single else seen

    def posterior_mean(self, x: ArrayLike, r: ArrayLike) -> Array:
        """m(x, r) = Σ_μ w_μ y^μ, the optimal denoiser of the training set; shape of x."""
        return self.observe(x, r).mean

    def score(self, x: ArrayLike, r: ArrayLike) -> Array:
        """∇ log p(x) = (m - x)/r; shape of x."""
        queries, ratios, single, sums = self._sums(x, r)
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

    def local_averages(self, x: ArrayLike, r: ArrayLike) -> LocalAverages:
        """tr C(x, r)/r and the participation, from one pass."""
        seen = self.observe(x, r)
        square = seen.mean_square_distance - np.sum((np.asarray(x, dtype=np.float64) - seen.mean) ** 2, axis=-1)
        return LocalAverages(np.maximum(square, 0.0) / np.asarray(r), seen.participation)

    def nearest(self, x: ArrayLike) -> Any:
        """Index of the nearest training point; of points equally near to rounding the lowest, in float64."""
        _, reach = _REACH[self.dtype]
        # at small r only the nearest points matter, which is what pruning finds fastest
        return self.observe(x, max(1e-9 * float(np.mean(self._points**2)), 1.0 / reach)).nearest

    # ---- second moments -------------------------------------------------------------------------

    def posterior_covariance(self, x: ArrayLike, r: ArrayLike) -> Array:
        """C(x, r) = Σ_μ w_μ (y^μ - m)(y^μ - m)ᵀ, shape (D, D) or (n, D, D).

        A second pass over the surviving points in float64; memory O(N + D²) besides the result.
        """
        queries, ratios, single = self._queries(x, r)
        covariances = np.empty((len(queries), self.ambient_dim, self.ambient_dim))
        for q, survivors in enumerate(self._engine.survivors(queries, ratios)):
            within = covariance(self._points, survivors)
            covariances[q] = self._coordinates.lift(self._coordinates.lift(within).T)
        return covariances[0] if single else covariances

    def jacobian_spectrum(self, x: ArrayLike, r: ArrayLike, k: int | None = None) -> Array:
        """Eigenvalues of the score Jacobian J = -(1/r)(I - C/r), descending, shape (…, k), default k = D.

        Directions orthogonal to all surviving points have exactly -1/r; the smaller of the D × D
        covariance and the Gram matrix of the survivors is diagonalized; C/r is good to 1e-12 (float32: to 1e-6 of
        its largest eigenvalue).  Those of C/r above ½ count the local dimension as in arXiv:2410.08727.
        """
        queries, ratios, single = self._queries(x, r)
        k = self.ambient_dim if k is None else arguments.positive_integer(k, "k")
        if k > self.ambient_dim:
            raise arguments.fail("k", k, f"must be at most the ambient dimension {self.ambient_dim}")
        variances = np.zeros((len(queries), k))
        within = min(k, self.span_dim)
        for q, survivors in enumerate(self._engine.survivors(queries, ratios)):
            variances[q, :within] = leading_variances(self._points, survivors, ratios[q], within, self.dtype)
        spectra = -(1.0 - variances / ratios[:, None]) / ratios[:, None]
        return spectra[0] if single else spectra

    # ---- draws ----------------------------------------------------------------------------------

    def draws(self, n: int, rng: np.random.Generator) -> Draws:
        """`n` training points drawn independently, with their indices."""
        return self._drawn(arguments.generator(rng).integers(self.n_points, size=arguments.positive_integer(n, "n")))

    def posterior_draws(self, x: ArrayLike, r: ArrayLike, rng: np.random.Generator) -> Draws:
        """A training point drawn with the weights w_μ(x), in float64, at each x (n, D); with their indices."""
        queries, ratios, _ = self._queries(x, r)
        return self._drawn(draw_index(self._points, queries, ratios, rng))

    def _drawn(self, index: Indices) -> Draws:
        return Draws(self.training_points(index), index)

    # ---- averages over planted queries ----------------------------------------------------------

    def planted(self, r: ArrayLike, rng: np.random.Generator, n_queries: int = 512) -> tuple[Array, Any]:
        """Planted queries x = y^μ + √r ξ, shape (n, D), and the indices μ, spread evenly over the points."""
        ratio = arguments.positive_scalar(r, "r")
        index, xi = self._plant(rng, arguments.positive_integer(n_queries, "n_queries"))
        return self.training_points(index) + np.sqrt(ratio) * xi, index

    def information(self, r: ArrayLike, rng: np.random.Generator, n_queries: int = 512) -> Estimate:
        """Empirical information I(μ; x) = E[ln N - S(x)] in nats; between 0 and ln N up to its error.

        Averaging the entropy of the weights, rather than ln w_1 of the planted point, is the
        Rao-Blackwell form of the same mean; what is left of the scatter is reduced by control variates
        (`simulations.engine.control_variates`).  `r` of any shape; all r share their random numbers, so
        that curves are smooth.  ValueError: r ≤ 0, rng not a Generator, n_queries < 2.
        """

        def divergence(x: Array, r: float, sums: Sums) -> Array:
            return np.maximum(np.log(self.n_points) - sums.entropy, 0.0)

        return self._average(divergence, r, rng, n_queries, float(np.log(self.n_points)), mean=False)

    def dimension(self, r: ArrayLike, rng: np.random.Generator, n_queries: int = 512) -> Estimate:
        """Empirical dimension at scale r, d(r) = E tr C / r = -2 dI/d ln r; arguments as `information`.

        tr C = Σ w |x-y|² - |x-m|² cancels; what is left of rounding is about 1e-16 D in d(r).
        """

        def trace(x: Array, r: float, sums: Sums) -> Array:
            return np.maximum(sums.mean_square_distance - np.sum((x - sums.mean) ** 2, axis=1), 0.0) / r

        return self._average(trace, r, rng, n_queries, np.inf, mean=True)

    # ---- inner workings; coordinates centred, and in the span -----------------------------------

    def _within_reach(self, values: Array, argument: str) -> None:
        reach, _ = _REACH[self.dtype]
        largest = max(values.max(), -values.min())
        if largest > reach:
            allowed = f"must not exceed {reach:g}, so that squares stay finite in {self.dtype}"
            raise ValueError(f"max |{argument}| = {largest:g}: {allowed}")

    def _checked(self, x: ArrayLike, r: ArrayLike) -> tuple[Array, Array, bool]:
        """Centred queries (n, D), noise ratios (n,), and whether x was a single point."""
        queries = arguments.points(x, self.ambient_dim)
        self._within_reach(queries, "x")
        single = np.ndim(x) == 1
        ratios = self._ratios(r)
        if ratios.ndim and (single or ratios.shape != (len(queries),)):
            allowed = "a number" if single else f"a number or an array of shape ({len(queries)},)"
            raise ValueError(f"r has shape {ratios.shape}: must be {allowed}")
        return queries - self._coordinates.centre, np.broadcast_to(ratios, len(queries)), single

    def _queries(self, x: ArrayLike, r: ArrayLike) -> tuple[Array, Array, bool]:
        """As `_checked`, in coordinates of the span (n, k)."""
        queries, ratios, single = self._checked(x, r)
        return self._coordinates.project(queries), ratios, single

    def _sums(self, x: ArrayLike, r: ArrayLike) -> tuple[Array, Array, bool, Sums]:
        """Queries, ratios and single as `_checked`, and the sums in the ambient space."""
        queries, ratios, single = self._checked(x, r)
        coordinates = self._coordinates.project(queries)
        sums = self._engine.sums(coordinates, ratios)
        if self.span_dim < self.ambient_dim:
            outside = self._coordinates.lift(
                coordinates
            )  # one array for all that follows: new memory costs more than the sums
            np.subtract(queries, outside, out=outside)
            square = np.einsum("qd,qd->q", outside, outside)
            sums = sums._replace(
                mean=self._coordinates.lift(sums.mean, out=outside),
                log_sum=sums.log_sum - square / (2 * ratios),
                mean_square_distance=sums.mean_square_distance + square,
            )
        return queries, ratios, single, sums

    def _ratios(self, r: ArrayLike) -> Array:
        ratios = arguments.positive(r, "r")
        _, reach = _REACH[self.dtype]
        if ratios.size and (ratios.max() > reach or ratios.min() < 1 / reach):
            raise arguments.fail("r", r, f"must lie between {1 / reach:g} and {reach:g} in {self.dtype}")
        return ratios

    def _log_density(self, sums: Sums, r: Array) -> Array:
        return sums.log_sum - np.log(self.n_points) - 0.5 * self.ambient_dim * np.log(2 * np.pi * r)

    def _plant(self, rng: np.random.Generator, n_queries: int) -> tuple[Indices, Array]:
        """Stratified indices μ and unit noise ξ (n, D): the random numbers of planted queries."""
        rng = arguments.generator(rng)
        # A permutation even for whole rounds: a generator seeded like the one that drew the data
        # would otherwise give noise equal to the points.
        index = rng.permutation(self.n_points)[np.arange(n_queries) % self.n_points]
        return index, rng.standard_normal((n_queries, self.ambient_dim))

    def _average(
        self, observable: Any, r: ArrayLike, rng: np.random.Generator, n_queries: int, largest: float, mean: bool
    ) -> Estimate:
        """Mean of observable(x, r, sums) over planted queries, for every r with the same (μ, ξ).

        `mean`: whether it looks at the posterior mean.

        Control variates may lead past the bounds by a part of the error bar: the mean is kept within 0 and `largest`.
        """
        ratios = self._ratios(r)
        if arguments.positive_integer(n_queries, "n_queries") < 2:
            raise arguments.fail("n_queries", n_queries, "must be ≥ 2, for an error bar")
        index, xi = self._plant(rng, n_queries)
        xi = self._coordinates.project(xi)
        means, errors = np.empty(ratios.size), np.empty(ratios.size)
        for i, (ratio, x, sums) in enumerate(self._planted_sums(ratios.ravel(), index, xi, mean)):
            samples, controls = observable(x, ratio, sums), planted_controls(xi, ratio, sums, self.n_points)
            means[i], errors[i] = controlled(samples, controls)
        means = np.clip(means, 0.0, largest)
        return Estimate(means.reshape(ratios.shape)[()], errors.reshape(ratios.shape)[()])

    def _planted_sums(
        self, ratios: Array, index: Indices, xi: Array, mean: bool
    ) -> Iterator[tuple[float, Array, Sums]]:
        """(r, x, sums) at every r, from shared distances where that is faster and accurate."""
        at = [self._points[index] + np.sqrt(r) * xi for r in ratios]
        few, low = _SHARED_DISTANCES
        shared = self.dtype == "float64" and self.span_dim >= low
        allowed = smallest_ratio(self._points) if shared else np.inf
        together = [i for i, r in enumerate(ratios) if r >= allowed and self._engine.plan(float(r)).engine == "plain"]
        done = {}
        if len(together) >= few:
            done = dict(zip(together, planted_sums(self._points, index, xi, ratios[together], mean), strict=True))
        for i, (r, x) in enumerate(zip(ratios, at, strict=True)):
            yield float(r), x, done.get(i) or self._engine.sums(x, np.full(len(x), r))
