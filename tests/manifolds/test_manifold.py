"""Bad arguments of every law: one ValueError that names the argument and says what is allowed."""

import math

import numpy as np
import pytest

from remanifold.manifolds import Linear, Mixture, NormalizedLinear

RNG = np.random.default_rng(0)
LAWS = [Linear([1.0, 0.5]), NormalizedLinear([1.0, 0.5]), Mixture.two_gaussians(2)]
ids = ["linear", "normalized", "mixture"]


@pytest.mark.parametrize("kind", [Linear, NormalizedLinear])
@pytest.mark.parametrize(
    ("variances", "options", "message"),
    [
        ([1.0, -1.0], {}, "variances = .*must be ≥? ?>?"),
        ([1.0, math.nan], {}, "variances = .*must be finite"),
        ([1.0, math.inf], {}, "variances = .*must be finite"),
        ([], {}, "variances = .*must be a list of k ≥"),
        (1.0, {}, "variances = .*must be a list of k ≥"),
        ([[1.0, 1.0]], {}, "variances = .*must be a list of k ≥"),
        ("wide", {}, "variances = 'wide': must be numbers"),
        ([1.0, 1.0], {"ambient_dim": 1}, "ambient_dim = 1: must be ≥ 2"),
        ([1.0, 1.0], {"ambient_dim": 0}, "ambient_dim = 0: must be an integer ≥ 1"),
        ([1.0, 1.0], {"ambient_dim": 2.5}, "ambient_dim = 2.5: must be an integer ≥ 1"),
        ([1.0, 1.0], {"basis": np.eye(3)}, r"basis has shape \(3, 3\): must have shape \(ambient_dim, 2\)"),
        ([1.0, 1.0], {"basis": 2 * np.eye(2)}, "basis: must have orthonormal columns"),
        ([1.0, 1.0], {"basis": np.eye(2) * math.nan}, r"(?s)basis = .*must be finite"),
        ([1.0, 1.0], {"basis": np.eye(3)[:, :2], "ambient_dim": 4}, r"basis has shape \(3, 2\): must have 4 rows"),
        ([1.0, 1.0], {"basis": np.eye(2), "rng": RNG}, "basis and rng: give one of them"),
        ([1.0, 1.0], {"rng": 3}, "rng = 3: must be a numpy.random.Generator"),
        ([1.0, 1.0], {"centre": [0.0]}, r"centre has shape \(1,\): must have shape \(2,\)"),
        ([1.0, 1.0], {"centre": [0.0, math.nan]}, "centre = .*must be finite"),
    ],
)
def test_construction(kind, variances, options, message):
    with pytest.raises(ValueError, match=message):
        kind(variances, **options)


@pytest.mark.parametrize("variances", [[1.0], [1.0, 0.0]])
def test_a_normalized_law_needs_two_directions_with_variance(variances):
    with pytest.raises(ValueError, match=r"variances = .*must be (a list of k ≥ 2|> 0)"):
        NormalizedLinear(variances)
    Linear(variances)


@pytest.mark.parametrize("law", LAWS, ids=ids)
@pytest.mark.parametrize(
    "name",
    [
        "log_partition",
        "log_density",
        "posterior_mean",
        "posterior_covariance",
        "score",
        "jacobian_spectrum",
        "local_divergence",
        "leading_posterior_variance",
    ],
)
def test_pointwise(law, name):
    quantity = getattr(law, name)
    for r in (0.0, -1.0, math.nan, math.inf, "small"):
        with pytest.raises(ValueError, match=r"^r = .*: must be"):
            quantity([0.0, 0.0], r)
    one = name == "leading_posterior_variance"
    allowed = r"^r = .*: must be one number" if one else r"^r has shape \(2,\): must be a number"
    for x in ([0.0, 0.0], np.zeros((3, 2))):
        with pytest.raises(ValueError, match=allowed):
            quantity(x, [1.0, 2.0])
    if name == "leading_posterior_variance" and law.is_gaussian:
        return  # the same at every point
    for x in ([0.0], [0.0, 0.0, 0.0], np.zeros((0, 2)), np.zeros((1, 1, 2)), 0.0):
        with pytest.raises(ValueError, match=r"^x has shape .*must have shape \(2,\) or \(n, 2\)"):
            quantity(x, 1.0)
    for x in ([0.0, math.nan], [[0.0, math.inf]], "here"):
        with pytest.raises(ValueError, match=r"^x = .*must be"):
            quantity(x, 1.0)


@pytest.mark.parametrize("law", LAWS, ids=ids)
def test_averages(law):
    for r in (0.0, -1.0, math.nan, [1.0, 0.0], "small"):
        for call in (
            law.information,
            law.dimension,
            lambda q: law.free_energy_gap(q, 1.0),
            lambda q: law.mean_local_divergence(q, 1.0),
        ):
            with pytest.raises(ValueError, match=r"^r = .*: must be"):
                call(r)
    for noise in (-1.0, math.nan, "none"):
        for call in (law.free_energy_gap, law.mean_local_divergence):
            with pytest.raises(ValueError, match=r"^noise = .*: must be"):
                call(1.0, noise)


@pytest.mark.parametrize("law", LAWS, ids=ids)
def test_samples_and_directions(law):
    for n in (0, -3, 2.0, True, None):
        with pytest.raises(ValueError, match=r"^n = .*: must be an integer ≥ 1"):
            law.sample(n, RNG)
    for rng in (0, None, np.random.RandomState(0)):
        with pytest.raises(ValueError, match=r"^rng = .*: must be a numpy.random.Generator"):
            law.sample(3, rng)
    for i in (-1, 2):
        with pytest.raises(ValueError, match=rf"^direction = {i}: must be an integer from 0 to 1"):
            law.direction(i)
    for k in (0, 3, 1.5):
        with pytest.raises(ValueError, match=rf"^k = {k}: must be"):
            law.jacobian_spectrum([0.0, 0.0], 1.0, k=k)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Mixture([]), "components = .*must be one or more manifolds"),
        (lambda: Mixture([np.zeros(3)]), "components = .*must be one or more manifolds"),
        (lambda: Mixture([Linear([1.0]), Linear([1.0], ambient_dim=2)]), "components = .*must share"),
        (lambda: Mixture([Linear([1.0])] * 2, [1.0]), r"weights has shape \(1,\): must have one weight"),
        (lambda: Mixture([Linear([1.0])] * 2, [1.0, 0.0]), "weights = .*must be > 0"),
        (lambda: Mixture([Linear([1.0])] * 2, [1.0, math.nan]), "weights = .*must be finite"),
        (lambda: Mixture.two_gaussians(0), "dim = 0: must be an integer ≥ 1"),
        (lambda: Mixture.two_gaussians(2, 0.0), "separation = 0.0: must be > 0"),
        (lambda: Mixture.two_gaussians(2, 1.0, -1.0), "variance = -1.0: must be ≥ 0"),
        (lambda: Mixture.two_gaussians(2, 1.0, [1.0, 2.0]), "variance = .*must be one number"),
        (lambda: LAWS[2].class_signal(0.0), "r = 0.0: must be > 0"),
        (lambda: LAWS[2].class_information(-1.0), "r = -1.0: must be > 0"),
        (lambda: LAWS[2].class_posterior([0.0], 1.0), r"x has shape"),
        (lambda: LAWS[2].sample_labelled(0, RNG), "n = 0: must be an integer ≥ 1"),
        (lambda: Linear.random_matrix(0, 3, RNG), "latent_dim = 0: must be an integer ≥ 1"),
        (lambda: Linear.random_matrix(3, 1.5, RNG), "ambient_dim = 1.5: must be an integer ≥ 1"),
        (lambda: Linear.random_matrix(3, 3, None), "rng = None: must be a numpy.random.Generator"),
        (lambda: Linear.random_matrix(3, 3, RNG, variance=0.0), "variance = 0.0: must be > 0"),
        (lambda: NormalizedLinear.two_subspaces(0, 5), "high = 0, low = 5: must be ≥ 1"),
        (lambda: NormalizedLinear.two_subspaces(20, 20), "sum to at most 30"),
    ],
)
def test_mixtures_and_other_constructors(call, message):
    with pytest.raises(ValueError, match=message):
        call()
