"""The output channel of a hidden manifold: what x = f(u) + √r ξ says about u ~ N(√q V, 1-q) once V is known."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ...conventions.arguments import Array
from .activation import Activation, Branch

REACH = 7.5  # standard deviations kept of every Gaussian: 6e-14 of its mass is outside
_BRANCH_REACH = 6.5  # the same for branches that are summed one by one
_SHARP_CUT, _BROAD_CUT = 6.5, 9.0  # and around the observed output; the second holds all of f where √r is large
_PANEL = 0.75  # width of the panels of outputs, in standard deviations of u
_SHORT = 4.0  # pieces of u, in standard deviations of prior and likelihood, that need only half the nodes
_MOST_STEPS = 60.0  # outputs spread over more than this many √r are integrated branch by branch


@dataclass(frozen=True)
class Orders:
    """Gauss–Legendre orders per panel: of V, of the noisy output x, of the pre-activation u; step of x in √r."""

    field: int = 10
    output: int = 14
    inner: int = 36
    step: float = 0.5


STANDARD = Orders()


class ChannelAverages(NamedTuple):
    """Averages over V and x at one overlap.

    `information` J = I(f(u); x | V) in nats; `drive` S = -2 ∂J/∂q = E[(E[u|x,V] - √q V)²]/(1-q)², what one output
    teaches about u; `error` E Var(f(u) | x, V).
    """

    information: float
    drive: float
    error: float


def channel_averages(
    activation: Activation, q: float, v: float, r: float, orders: Orders = STANDARD
) -> ChannelAverages:
    """J, S and the error at overlap q, v = 1 - q > 0 (both given, so that neither loses digits) and noise ratio r.

    J = Σ_V Σ_x p(x|V) KL(posterior of u ‖ its prior): a sum of positive terms on the same nodes, accurate also where
    J is 1e-13. Relative accuracy 1e-7 or better (tests refine the nodes), r from 1e-12 to 1e12.
    docs/hidden_manifold.md §1.
    """
    field, weight = field_nodes(activation, q, v, orders.field)
    sigma, root = math.sqrt(v), math.sqrt(r)
    total = np.zeros(3)
    for out in noisy_outputs(activation, field, sigma, root, orders):
        posterior = posterior_moments(activation, out, sigma, r, orders.inner)
        probability = weight[out.index] * out.weight * posterior.density
        total += [probability @ row for row in (posterior.divergence, posterior.mean**2, posterior.variance)]
    return ChannelAverages(float(total[0]), float(total[1]) / v, float(total[2]))


# nodes of V: graded towards the features of f down to the width σ over which they are smeared


def field_nodes(activation: Activation, q: float, v: float, order: int) -> tuple[Array, Array]:
    """Nodes m = √q V and weights (n,), the half of them with V > 0 where f is even or odd."""
    if q == 0:
        return np.zeros(1), np.ones(1)
    root, sigma = math.sqrt(q), math.sqrt(v)
    marks = np.array([0.0, 1.5, 3.0, 5.0, REACH])
    near = sigma * np.concatenate([[0.0], graded(sigma, 2.0)])
    breaks = np.concatenate([root * marks, -root * marks, np.ravel(activation.features[:, None] + near)])
    breaks = np.unique(np.concatenate([breaks, np.ravel(activation.features[:, None] - near)]))
    breaks = breaks[np.abs(breaks) <= REACH * root]
    if activation.parity:
        breaks = np.unique(np.append(breaks[breaks > 0], 0.0))
    m, weight = panel_nodes(*_panels(breaks, min(0.7 * sigma, 1.4 * root)), order)
    m, weight = m.ravel(), (weight * np.exp(-0.5 * (m / root) ** 2)).ravel()
    keep = weight > 1e-14 * weight.max()
    return m[keep], weight[keep] / weight[keep].sum()


def _panels(breaks: Array, narrowest: float) -> tuple[Array, Array]:
    """Panels between sorted breaks, none narrower than `narrowest` but perhaps the last."""
    kept = [breaks[0]]
    for value in breaks[1:-1]:
        if value - kept[-1] > narrowest:
            kept.append(value)
    edges = np.array([*kept, breaks[-1]])
    return edges[:-1], edges[1:]


def graded(scale: float, factor: float) -> Array:
    """1, factor, factor², … up to 1/scale: distances from a feature in units of its width."""
    steps = max(0, math.ceil(-math.log(scale) / math.log(factor)))
    return np.asarray(factor ** np.arange(0, steps + 1), dtype=np.float64)


@lru_cache(maxsize=32)
def _gauss_legendre(order: int) -> tuple[Array, Array]:
    return np.polynomial.legendre.leggauss(order)


def panel_nodes(low: Array, high: Array, order: int) -> tuple[Array, Array]:
    """Gauss–Legendre nodes and weights (n, order) on the panels [low, high] (n,)."""
    t, w = _gauss_legendre(order)
    middle, half = 0.5 * (low + high), 0.5 * (high - low)
    return middle[:, None] + half[:, None] * t, half[:, None] * w


# nodes of x


@dataclass(frozen=True)
class Outputs:
    """Noisy outputs x with weights dx; node i belongs to field m[i] = field[index[i]].

    There f covers [low, high] on the support of the prior. `owner` is the branch to which the true u is confined (-1:
    any); outputs of f further than `cut` √r from x may be left out.
    """

    m: Array
    index: np.ndarray
    x: Array
    weight: Array
    low: Array
    high: Array
    owner: int
    cut: float


def noisy_outputs(activation: Activation, field: Array, sigma: float, root: float, orders: Orders) -> Iterator[Outputs]:
    """Nodes of x for every m, in groups: one even grid where the noise is broad, else branch by branch."""
    low, high = activation.range_over(field - REACH * sigma, field + REACH * sigma)
    broad = (high - low) <= _MOST_STEPS * root
    some = np.flatnonzero(broad)
    if some.size:
        index, x, dx = _even_outputs(low[some], high[some], root, orders.step)
        index = some[index]
        yield Outputs(field[index], index, x, dx, low[index], high[index], -1, _BROAD_CUT)
    sharp = np.flatnonzero(~broad)
    single = _covering_branch(activation, field, low, high, sigma)
    for k, branch in enumerate(activation.branches):
        start, end = (branch.start - field) / sigma, (branch.end - field) / sigma
        reached = (start < _BRANCH_REACH) & (end > -_BRANCH_REACH)
        for owner, chosen in ((-1, single == k), (k, (single < 0) & reached)):
            some = sharp[chosen[sharp]]
            if some.size:
                which, x, dx = _outputs_along(branch, field[some], sigma, root, orders.output)
                index = some[which]
                yield Outputs(field[index], index, x, dx, low[index], high[index], owner, _SHARP_CUT)


def _even_outputs(low: Array, high: Array, root: float, step: float) -> tuple[np.ndarray, Array, Array]:
    """An even grid: p(x|V) is a mixture of Gaussians of width √r.

    Its logarithm has branch points near the axis where two outputs 2 to 12 √r apart compete: half the step there.
    """
    spread = (high - low) / root
    span = spread + 2 * REACH
    count = np.ceil(span / np.where((spread > 2) & (spread < 12), step / 2, step)).astype(np.int64)
    index = np.repeat(np.arange(low.size), count)
    first = np.cumsum(count) - count
    position = (np.arange(index.size) - first[index] + 0.5) / count[index]
    return index, low[index] + root * (position * span[index] - REACH), (root * span / count)[index]


def _covering_branch(activation: Activation, m: Array, low: Array, high: Array, sigma: float) -> np.ndarray:
    """The branch whose image holds all of [low, high], so that nodes along it serve every branch; -1 where none does.

    The others must be flat or of like slope, that their images vary on the same scale.
    """
    steep = np.array([branch.steepest for branch in activation.branches])
    single = np.full(m.size, -1)
    for k, branch in enumerate(activation.branches):
        a, b = (
            np.clip(m - REACH * sigma, branch.start, branch.end),
            np.clip(m + REACH * sigma, branch.start, branch.end),
        )
        ends = branch.function(a), branch.function(b)
        slack = 1e-9 * (high - low)
        covers = (np.minimum(*ends) <= low + slack) & (np.maximum(*ends) >= high - slack)
        alike = np.all((steep == 0) | ((steep < 3 * steep[k]) & (steep > steep[k] / 3)))
        centrality = np.abs(0.5 * (branch.start + branch.end) - m)
        better = (single < 0) | (centrality < _centre_distance(activation, single, m))
        single = np.where(covers & alike & better, k, single)
    return single


def _centre_distance(activation: Activation, which: np.ndarray, m: Array) -> Array:
    centres = np.array([0.5 * (branch.start + branch.end) for branch in activation.branches])
    return np.abs(centres[which] - m)


def _outputs_along(branch: Branch, m: Array, sigma: float, root: float, order: int) -> tuple[np.ndarray, Array, Array]:
    """x(τ) = f(m + σ τ) ± √r τ along a branch: resolves both the image of the prior and the noise. Which m, x, dx.

    Panels in τ are graded towards the ends of the branch, where the density of the outputs has an edge of width √r.
    """
    start, end = (branch.start - m) / sigma, (branch.end - m) / sigma
    centre = np.clip(0.0, start, end)
    low, high = np.maximum(start, -REACH), np.minimum(end, REACH)
    first, last = np.minimum(low, centre - REACH), np.maximum(high, centre + REACH)
    panels = math.ceil(np.max(high - low) / _PANEL)
    scale = root / (root + sigma * branch.steepest)
    away = scale * np.concatenate([[0.0], graded(scale, 3.0)])
    breaks = np.concatenate(
        [
            _even(first, low, 4),
            _even(low, high, panels + 1),
            np.clip(start[:, None] + away, low[:, None], high[:, None]),
            np.clip(end[:, None] - away, low[:, None], high[:, None]),
            _even(high, last, 4),
        ],
        axis=1,
    )
    breaks = np.sort(breaks, axis=1)
    wide = np.diff(breaks, axis=1) > 1e-14
    which = np.repeat(np.nonzero(wide)[0], order)
    tau, weight = panel_nodes(breaks[:, :-1][wide], breaks[:, 1:][wide], order)
    tau, weight = tau.ravel(), weight.ravel()
    inside = (tau > start[which]) & (tau < end[which])
    u = np.clip(m[which] + sigma * tau, branch.start, branch.end)
    x = branch.function(u) + branch.direction * root * (tau - centre[which])
    return which, x, weight * (root + np.where(inside, sigma * branch.slope(u), 0.0))


def _even(low: Array, high: Array, count: int) -> Array:
    return low[:, None] + (high - low)[:, None] * np.linspace(0, 1, count)


# the posterior of u at every node (m, x)


class OutputPosterior(NamedTuple):
    """At every output, with u = m + σ w: what x says about w and about f(u).

    `density` p(x|m) with u on the owner branch, `divergence` KL(posterior ‖ prior), `mean` and `spread` E w and Var w,
    `variance` Var f(u), `log_partition` ln E exp(-(x-f)²/2r) over the prior, `residual` E(x-f)² over the posterior.
    """

    density: Array
    divergence: Array
    mean: Array
    spread: Array
    variance: Array
    log_partition: Array
    residual: Array


def posterior_moments(activation: Activation, out: Outputs, sigma: float, r: float, order: int) -> OutputPosterior:
    """The posterior of u given x. Likelihoods are carried relative to that of `clean`, the output nearest to x."""
    clean = np.clip(out.x, out.low, out.high)
    sums = np.zeros((9, out.x.size))  # Z, Z on the owner branch, the prior, Z less it, and Σ p·(w, w², ln L, δ, δ²)
    for k, branch in enumerate(activation.branches):
        for index, w, prior, delta, log_likelihood in _branch_nodes(branch, out, clean, sigma, r, order):
            p, excess = prior * np.exp(log_likelihood), prior * np.expm1(log_likelihood)
            rows = (p, prior, excess, p * w, p * w**2, p * log_likelihood, p * delta, p * delta**2)
            found = [np.bincount(index, row.sum(axis=1), out.x.size) for row in rows]
            mine = found[0] if out.owner in (k, -1) else np.zeros(out.x.size)
            sums += np.array([found[0], mine, *found[1:]])
    reached = sums[0] > 1e-290
    z = np.where(reached, sums[0], 1.0)
    mine, prior, excess = sums[1:4]
    w, w_square, log_likelihood, delta, square = np.where(reached, sums[4:] / z, 0.0)
    # where the nodes cover the whole prior, its rounding must not show beside a small divergence
    cut = out.cut * math.sqrt(r)
    whole = (out.x - cut <= out.low) & (out.x + cut >= out.high) & (excess > -0.9 * prior)
    log_z = np.where(
        whole, np.log1p(excess / np.where(whole, prior, 1.0), where=whole, out=np.zeros_like(z)), np.log(z)
    )
    away = out.x - clean
    return OutputPosterior(
        density=mine * np.exp(-0.5 * away**2 / r) / math.sqrt(2 * math.pi * r),
        divergence=log_likelihood - log_z,
        mean=w,
        spread=w_square - w**2,
        variance=np.maximum(square - delta**2, 0.0),
        log_partition=np.where(reached, log_z - 0.5 * away**2 / r, -np.inf),
        residual=away**2 - 2 * away * delta + square,
    )


def _branch_nodes(
    branch: Branch, out: Outputs, clean: Array, sigma: float, r: float, order: int
) -> Iterator[tuple[np.ndarray, Array, Array, Array, Array]]:
    """Nodes in u on one branch where neither prior nor likelihood is negligible, half as many on short pieces.

    For each piece of a panel: which x it belongs to, and at its nodes w, the weight of the prior, δ = f - clean and
    ln(likelihood/likelihood of `clean`).
    """
    cut = out.cut * math.sqrt(r)
    first, last = branch.preimage(out.x - cut, out.x + cut)
    first, last = np.maximum(first, out.m - REACH * sigma), np.minimum(last, out.m + REACH * sigma)
    pieces = [(np.maximum(first, low), np.minimum(last, high)) for low, high in branch.panels]
    index = np.concatenate([np.flatnonzero(b > a) for a, b in pieces])
    low = np.concatenate([a[b > a] for a, b in pieces])
    high = np.concatenate([b[b > a] for a, b in pieces])
    short = (high - low) < _SHORT * min(sigma, math.sqrt(r) / max(branch.steepest, 1e-300))
    for some, nodes in ((short, order // 2), (~short, order)):
        which, m = index[some], out.m[index[some]]
        w, width = panel_nodes((low[some] - m) / sigma, (high[some] - m) / sigma, nodes)
        delta = branch.function(m[:, None] + sigma * w) - clean[which, None]
        log_likelihood = delta * ((out.x - clean)[which, None] - 0.5 * delta) / r
        yield which, w, width * np.exp(-0.5 * w**2) / math.sqrt(2 * math.pi), delta, log_likelihood
