"""Each derivation performs, and its results agree with the library's numbers at many parameter values."""

import math
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import sympy
from scipy.optimize import brentq

from remanifold.manifolds import Linear, Mixture, Sphere
from remanifold.theory import (
    DDPM,
    OrnsteinUhlenbeck,
    RectifiedFlow,
    VarianceExploding,
    basin_radius,
    clone_probability,
    collapse,
    generalization,
    geometric_memorization,
    onset,
    symmetry_breaking,
)
from remanifold.theory.derivations import DERIVATIONS, derivation

derive = lru_cache(derivation)


def value(name, result, **symbols):
    """A result evaluated by NumPy and SciPy at symbols given by name."""
    expression = derive(name).results[result]
    order = sorted((s for s in expression.free_symbols if not s.is_Function), key=str)
    order = [s for s in order if not isinstance(s, sympy.Indexed)]
    by_name = {str(s): s for s in order}
    assert set(by_name) == set(symbols)
    return sympy.lambdify([by_name[key] for key in symbols], expression, ["numpy", "scipy"])(*symbols.values())


def indexed(variances):
    """λ_1 … λ_d for sums that count from one."""
    return np.concatenate([[np.nan], variances])


@pytest.mark.parametrize("name", DERIVATIONS)
def test_every_derivation_has_steps_and_results(name):
    found = derive(name)
    assert found.name == name
    assert found.shows == DERIVATIONS[name]
    assert len(found.steps) >= 4
    assert found.result is next(iter(found.results.values()))
    for text, formula in found.steps:
        assert text.count("$") % 2 == 0
        assert isinstance(formula, sympy.Eq)
        assert not formula.has(sympy.nan, sympy.zoo)
    outside = "".join(found.shows.split("$")[::2]) + "".join("".join(t.split("$")[::2]) for t, _ in found.steps)
    assert not set("\\_^%&#{}λξφρ√") & set(outside)  # so that the LaTeX compiles


def test_unknown_name():
    with pytest.raises(ValueError, match=r"^derivation = 'colapse': must be one of .*collapse-isotropic"):
        derivation("colapse")


def test_listing_does_not_import_sympy():
    code = "import sys, remanifold.theory.derivations; sys.exit('sympy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=False, timeout=60)
    assert done.returncode == 0


# collapse, onset, basin, generalization


@pytest.mark.parametrize("d", [1, 3, 16])
@pytest.mark.parametrize("variance", [0.02, 1.0, 7.0])
@pytest.mark.parametrize("n", [3.0, 1e3, 1e30])
def test_isotropic_collapse_and_onset(d, variance, n):
    law = Linear([variance] * d)
    found = collapse(law, log_n=math.log(n))
    assert value("collapse-isotropic", "r_c", N=n, d=d, **{"lambda": variance}) == pytest.approx(found, rel=1e-11)
    ou_time = value("collapse-isotropic", "t_c", N=n, d=d, **{"lambda": variance})
    assert ou_time == pytest.approx(float(OrnsteinUhlenbeck().time(found)), rel=1e-6, abs=1e-15)
    opened = value("onset", "r_o", N=n, d=d, **{"lambda": variance})
    assert opened.imag == 0  # the principal branch
    assert opened.real == pytest.approx(onset(law, log_n=math.log(n)), rel=1e-10)


@pytest.mark.parametrize("d", [1, 4, 20])
@pytest.mark.parametrize("pair", [(1.0, 0.3), (5.0, 1e-3), (2.0, 2.0)])
@pytest.mark.parametrize("n", [2.0, 1e4, 1e20])
def test_two_variances_of_equal_multiplicity(d, pair, n):
    found = collapse(Linear([pair[0]] * d + [pair[1]] * d), log_n=math.log(n))
    closed = value("collapse-two-variances", "r_c_equal_multiplicities", N=n, d=d, lambda_1=pair[0], lambda_2=pair[1])
    assert closed == pytest.approx(found, rel=1e-10)


def error_order(relative_error, small, large):
    """The power with which a relative error grows between two values of its small parameter."""
    return math.log(relative_error(large) / relative_error(small)) / math.log(large / small)


@pytest.mark.parametrize("multiplicities", [(2, 5), (4, 1)])
def test_two_variances_with_many_points(multiplicities):
    d1, d2 = multiplicities
    law = Linear([1.0] * d1 + [0.3] * d2)

    def error(leading):
        n = leading ** (-(d1 + d2) / 2) * 0.3 ** (d2 / 2)
        series = value("collapse-two-variances", "r_c_many_points", N=n, d_1=d1, d_2=d2, lambda_1=1.0, lambda_2=0.3)
        return abs(series / collapse(law, log_n=math.log(n)) - 1)

    assert error(1e-3) < 1e-6
    assert error_order(error, 5e-4, 1e-3) == pytest.approx(3, abs=0.1)  # r_0³ beyond the leading r_0


@pytest.mark.parametrize("multiplicities", [(2, 5), (4, 1)])
def test_two_far_variances(multiplicities):
    d1, d2 = multiplicities

    def error(second):
        series = value(
            "collapse-two-variances", "r_c_far_variances", N=50.0, d_1=d1, d_2=d2, lambda_1=1.0, lambda_2=second
        )
        return abs(series / collapse(Linear([1.0] * d1 + [second] * d2), log_n=math.log(50)) - 1)

    assert error(1e-4) < 1e-5
    assert error_order(error, 1e-4, 2e-4) == pytest.approx(3, abs=0.1)


SPECTRA = [[1.0], [1.0, 0.3, 0.3, 0.01], list(np.linspace(0.1, 4.0, 12))]


@pytest.mark.parametrize("variances", SPECTRA)
def test_basin_radius(variances):
    law, d, n = Linear(variances), len(variances), 1e3
    condensed, opened = (find(law, log_n=math.log(n)) for find in (collapse, onset))
    for r in (0.3 * condensed, condensed, math.sqrt(condensed * opened), 0.999 * opened):
        rho = value("basin", "rho", N=n, d=d, r=r, **{"lambda": indexed(variances)})
        assert rho == pytest.approx(basin_radius(law, r, log_n=math.log(n)), rel=1e-8)
    assert derive("basin").results["rho_at_collapse"] == 1
    assert derive("basin").results["rho_at_onset"] == 0


@pytest.mark.parametrize("variances", SPECTRA)
def test_averages_of_one_direction(variances):
    law = Linear(variances)
    for r in (1e-3, 0.2, 1.0, 30.0):
        terms = [("generalization", "divergence_per_direction", law.mean_local_divergence(r, 0.0))]
        terms.append(("onset", "gap_per_direction", law.free_energy_gap(r, 0.0)))
        for name, result, expected in terms:
            total = sum(value(name, result, r=r, **{"lambda": v}) for v in variances)
            assert total == pytest.approx(float(expected), rel=1e-12)
        data = {"r": r, "d": len(variances), "lambda": indexed(variances)}
        assert value("information-mmse", "information", **data) == pytest.approx(float(law.information(r)), rel=1e-12)
        assert value("information-mmse", "dimension", **data) == pytest.approx(float(law.dimension(r)), rel=1e-12)


@pytest.mark.parametrize("variances", SPECTRA)
def test_generalization_by_freezing(variances):
    def total(result, r):
        return sum(value("generalization", result, r=r, **{"lambda": v}) for v in variances)

    log_n = math.log(1e4)
    frozen = math.exp(brentq(lambda t: total("divergence_per_direction", math.exp(t)) - log_n, -40, 5, xtol=1e-14))
    found = total("nearest_per_direction", frozen) / len(variances)
    assert found == pytest.approx(generalization(Linear(variances), log_n=log_n), rel=1e-9)


def test_generalization_by_series():
    def error(q):
        n, d = q**-5, 10  # q = N^{-2/d}
        series = value("generalization", "r_g", N=n, d=d, **{"lambda": 1.7})
        return abs(series / generalization(Linear([1.7] * d), log_n=math.log(n)) - 1)

    assert error(0.01) < 1e-7
    assert error_order(error, 0.02, 0.04) == pytest.approx(4, abs=0.2)  # q⁴ beyond the leading q


# curved manifolds


@pytest.mark.parametrize(("name", "k", "power"), [("circle", 1, 6), *[("sphere", k, 4) for k in (1, 2, 3, 7)]])
def test_small_noise_on_spheres(name, k, power):
    radius, law = 1.3, Sphere(k, 1.3)
    symbols = {"R": radius} if name == "circle" else {"R": radius, "k": k}

    def errors(result):
        exact = law.information if result == "I" else law.dimension
        return lambda r: abs(value(name, result, r=r, **symbols) - float(exact(r)))

    for result in ("I", "d"):
        error = errors(result)
        small = 1e-3 * radius**2
        assert error(small) < 1e-9
        assert error_order(error, 0.01 * radius**2, 0.014 * radius**2) == pytest.approx(power, abs=0.7)
    if name == "sphere":
        assert value(name, "r_centre", **symbols) == pytest.approx(symmetry_breaking(law), rel=1e-10)


@pytest.mark.parametrize("distance", [0.8, 1.3, 2.0])
def test_log_partition_of_the_circle(distance):
    law = Sphere(1, 1.3)
    for r in (1e-3, 0.01):
        exact = float(law.log_partition([distance, 0.0], r))
        assert value("circle", "phi", R=1.3, r=r, x=distance) == pytest.approx(exact, abs=1e-10)


def plane_curve_information(curve, r):
    """I of the uniform law on a closed curve, points (m, 2) at equal arc length, by direct quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(20)
    weights = weights / weights.sum()
    total = 0.0
    for a, p in zip(nodes, weights, strict=True):
        for b, q in zip(nodes, weights, strict=True):
            x = curve + math.sqrt(r) * np.array([a, b])
            distance = (x[:, None, 0] - curve[None, :, 0]) ** 2 + (x[:, None, 1] - curve[None, :, 1]) ** 2
            total += p * q * np.mean(np.log(np.mean(np.exp(-distance / (2 * r)), axis=1)))
    return -1 - total


def test_curvature_of_an_ellipse_to_second_order():
    """Axes 2 and 1: what the terms before r² leave of I, over r², extrapolated to r = 0."""
    angle = np.linspace(0, 2 * np.pi, 20001)
    speed = np.hypot(2 * np.sin(angle), np.cos(angle))
    arc = np.concatenate([[0.0], np.cumsum((speed[1:] + speed[:-1]) / 2)]) * (angle[1] - angle[0])
    curvature = 2 / speed**3
    change = np.gradient(curvature, arc, edge_order=2)

    def over_the_curve(density):
        return np.trapezoid(density, arc) / arc[-1]

    first = over_the_curve(value("curvature", "c_1", kappa_1=curvature))
    second = over_the_curve(value("curvature", "c_r2_plane_curve", kappa=curvature, kappa_s=change))
    at = np.interp(np.arange(256) * arc[-1] / 256, arc, angle)
    curve = np.column_stack([2 * np.cos(at), np.sin(at)])

    def rest(r):
        flat = math.log(arc[-1]) - 0.5 * math.log(2 * math.pi * math.e * r)
        return (plane_curve_information(curve, r) - flat - first * r) / r**2

    ratios = [0.004, 0.008, 0.012]
    at_zero = np.polyfit(ratios, [rest(r) for r in ratios], 2)[-1]
    assert at_zero == pytest.approx(second, abs=2e-4)
    assert over_the_curve(change**2) > 1  # so that its coefficient 1/12 is tested to 1e-3 or so


@pytest.mark.parametrize("k", [1, 2, 3])
def test_curvature_of_spheres_and_of_a_cylinder(k):
    law = Sphere(k, 0.7)
    invariant = derive("curvature").results["c"]
    symbols = {str(s): s for s in invariant.free_symbols}
    squares = {
        symbols["|H|^2"]: law.mean_curvature_squared,
        symbols["|II|^2"]: law.second_fundamental_form_squared,
    }
    r = 1e-5
    flat = math.log(law.volume) - k / 2 * math.log(2 * math.pi * math.e * r)
    measured = (float(law.information(r)) - flat) / r
    assert float(invariant.subs(squares)) == pytest.approx(measured, abs=1e-3)
    curvatures = {f"kappa_{j + 1}": 1 / 0.7 for j in range(k)}
    assert value("curvature", f"c_{k}", **curvatures) == pytest.approx(measured, abs=1e-3)
    if k > 1:  # a product with a line changes neither I beyond the flat part nor c
        flat_direction = {**curvatures, f"kappa_{k}": 0.0}
        lower = {key: c for key, c in curvatures.items() if key != f"kappa_{k}"}
        expected = value("curvature", f"c_{k - 1}", **lower)
        assert value("curvature", f"c_{k}", **flat_direction) == pytest.approx(expected, rel=1e-12)


# classes and symmetry


@pytest.mark.parametrize(("separation", "variance"), [(1.0, 0.0), (1.5, 1.0), (3.0, 0.2)])
def test_two_gaussians(separation, variance):
    law = Mixture.two_gaussians(1, separation=separation, variance=variance)
    critical = value("speciation-two-gaussians", "r_s", m=separation, v=variance)
    assert critical == pytest.approx(symmetry_breaking(law, "density"), rel=1e-9)
    ou_time = value("speciation-two-gaussians", "t_S", m=separation, v=variance)
    assert ou_time == pytest.approx(float(OrnsteinUhlenbeck().time(critical)), rel=1e-12)
    at_critical = float(derive("speciation-two-gaussians").results["clone_probability_at_r_s"])
    assert at_critical == pytest.approx(float(clone_probability(law, critical)), abs=1e-11)


@pytest.mark.parametrize("q", [0.003, 0.02, 0.3, 1.0, 5.0])
def test_clone_probability(q):
    law = Mixture.two_gaussians(4, separation=1.0, variance=0.5)
    exact = float(clone_probability(law, 4 / q - 0.5)) if q < 8 else math.nan
    assert value("speciation-two-gaussians", "clone_probability", q=q) == pytest.approx(exact, abs=1e-9)
    if q < 0.03:
        series = value("speciation-two-gaussians", "clone_probability_large_noise", q=q)
        assert series == pytest.approx(exact, abs=60 * q**6 + 1e-13)


@pytest.mark.parametrize("m", [0.4, 1.0, 2.5])
def test_three_conventions(m):
    law = Mixture.two_gaussians(1, separation=m, variance=0.0)
    found = {c: value("symmetry-breaking", f"r_{c}", m=m) for c in ("density", "drift")}
    for convention, r in found.items():
        assert r == pytest.approx(symmetry_breaking(law, convention), rel=1e-9)
    if m > 1:
        r = value("symmetry-breaking", "r_covariance_two_points", m=m)
        assert r == pytest.approx(symmetry_breaking(law, "covariance"), rel=1e-12)


def test_thresholds_of_the_conventions():
    """At the ratio the library finds for two wide Gaussians, their posterior variance is at the threshold."""
    law = Mixture.two_gaussians(1, separation=2.0, variance=0.3)
    for convention in ("density", "drift"):
        r = symmetry_breaking(law, convention)
        threshold = value("symmetry-breaking", f"C_{convention}", r=r)
        assert law.leading_posterior_variance(law.mean, r) == pytest.approx(threshold, rel=1e-9)
    assert value("symmetry-breaking", "r_covariance", Lambda=3.7) == pytest.approx(2.7)


# published times, order of the loss, clocks


@pytest.mark.parametrize("normalized", [True, False])
@pytest.mark.parametrize("log_n", [math.log(250), 46.0])
def test_geometric_memorization(normalized, log_n):
    stds = np.array([1.0, 0.3, 0.3, 0.01])
    n, g = math.exp(log_n), 0 if normalized else 1
    times = np.array([1e-4, 0.03, 2.0])
    published = geometric_memorization(stds**2, times, log_n=log_n, normalized=normalized)
    fourth = float(np.sum(stds**4))
    for j, std in enumerate(stds):
        found = value("geometric-memorization", "t_c", N=n, S_4=fourth, g=g, s_i=std, t=times)
        np.testing.assert_allclose(found, published.critical_times[:, j], rtol=1e-12)
        lost = value("geometric-memorization", "t_lost", N=n, S_4=fourth, g=g, s_i=std)
        around = geometric_memorization(stds**2, lost * np.array([0.999, 1.001]), log_n=log_n, normalized=normalized)
        assert around.order_parameters[0, j] > 0
        assert around.order_parameters[1, j] == 0
    if normalized:
        alone = value("geometric-memorization", "t_lost_normalized", N=n, s_i=0.3)
        assert alone == pytest.approx(0.09 / (2 * log_n), rel=1e-12)


@pytest.mark.parametrize("r", [0.01, 0.3, 5.0])
def test_ordering(r):
    variances = np.array([0.02, 0.3, 1.0, 6.0])
    law = Linear(variances)
    common = sum(value("ordering", "common_term", r=r, **{"lambda": v}) for v in variances)
    for i, variance in enumerate(variances):
        own = value("ordering", "own_term", r=r, **{"lambda": variance})
        exact = float(law.local_divergence(math.sqrt(r) * law.direction(i), r))
        assert common + own == pytest.approx(exact, rel=1e-12)
    grid = r * np.logspace(-3, 3, 2001)
    terms = value("ordering", "own_term", r=r, **{"lambda": grid})
    assert grid[np.argmax(terms)] == pytest.approx(value("ordering", "lambda_first", r=r), rel=1e-9)
    assert terms.max() == pytest.approx(float(derive("ordering").results["largest_spread"]), rel=1e-12)


@pytest.mark.parametrize(
    ("name", "process", "times"),
    [
        ("VE", VarianceExploding(), [1e-3, 1.0, 40.0]),
        ("OU", OrnsteinUhlenbeck(), [1e-3, 1.0, 9.0]),
        ("flow", RectifiedFlow(), [1e-3, 0.4, 0.99]),
    ],
)
def test_processes(name, process, times):
    times = np.array(times)
    ratios = value("processes", f"noise_ratio_{name}", t=times)
    np.testing.assert_allclose(ratios, process.noise_ratio(times), rtol=1e-11)
    np.testing.assert_allclose(value("processes", f"time_{name}", r=ratios), process.time(ratios), rtol=1e-9)


def test_ddpm():
    process = DDPM()
    steps = np.array([3.0, 250.0, 1000.0])
    power = process.signal(steps) ** 2
    ratios = value("processes", "noise_ratio_DDPM", alpha=power)
    np.testing.assert_allclose(ratios, process.noise_ratio(steps), rtol=1e-10)
    np.testing.assert_allclose(value("processes", "signal_power_DDPM", r=ratios), power, rtol=1e-12)
    np.testing.assert_allclose(
        value("processes", "OU_time_DDPM", alpha=power), OrnsteinUhlenbeck().time(ratios), rtol=1e-9
    )
