"""Dimension of real digits at scale r: the empirical score, trained networks, and the predicted collapse.

Left: d(r) = E tr C/r of the empirical score of N digits (exact), of networks trained on the same N digits
(exact trace of the denoiser's Jacobian at noised training points), and of all 1797 digits, the stand-in for
the population. Right: the information I(r) of all digits by the sum rule; N points collapse where it has used
up ln N. The stand-in is itself a sample: the prediction holds while ln N is well below ln 1797.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...conventions.arguments import Array
from ...manifolds import digits
from ...theory import MeasuredLaw, collapse
from ..results import provenance, save, writable
from ..stages import tracked, training_stage

if TYPE_CHECKING:
    import xarray
    from matplotlib.figure import Figure

SIZES = (50, 200, 1000)
PRESETS: dict[str, dict[str, Any]] = {
    "quick": {"network": {"steps": 5000}, "ratios": 49, "queries": 3600, "network_points": 96},
    "paper": {"network": {"steps": 40000, "width": 256, "learning_rate": 2e-3}, "ratios": 65, "queries": 14400,
              "network_points": 400},
}  # fmt: skip
NETWORK_RATIOS = np.geomspace(0.02, 30.0, 12)


def draw(out: Path, preset: str = "quick", seed: int = 0) -> list[Path]:
    """Computes and writes the figure; the quick preset takes about two minutes."""
    writable(out)
    numbers = compute(out, preset, seed)
    record = provenance(figure="digits-dimension", preset=preset, seed=seed, predicted=predictions(numbers))
    return save(out, "digits-dimension", _picture(numbers), numbers, record)


def compute(out: Path, preset: str, seed: int) -> "xarray.Dataset":
    """All numbers of the figure as a Dataset."""
    import xarray

    from ...simulations import EmpiricalScore

    size = PRESETS[preset]
    images = digits()
    r = np.geomspace(1e-3, 1e3, size["ratios"])
    subsets = [images.sample(n, np.random.default_rng(seed)) for n in SIZES]  # nested
    curves = [
        EmpiricalScore(points).dimension(r, np.random.default_rng(seed + 1), n_queries=size["queries"])
        for points in tracked([*subsets, images.points], "d(r) of the empirical score")
    ]
    learned = [_learned(points, out, preset, seed) for points in subsets]
    reference = MeasuredLaw(r, np.asarray(curves[-1].mean))
    return xarray.Dataset(
        {
            "empirical": (("n", "noise_ratio"), np.array([c.mean for c in curves[:-1]])),
            "empirical_error": (("n", "noise_ratio"), np.array([c.stderr for c in curves[:-1]])),
            "participation": (
                ("n", "noise_ratio"),
                [_participation(points, r, seed + 3, size["queries"]) for points in subsets],
            ),
            "all_digits": ("noise_ratio", np.asarray(curves[-1].mean)),
            "information": ("noise_ratio", reference.information(r)),
            "network": (("n", "network_ratio"), np.array([mean for mean, _ in learned])),
            "network_error": (("n", "network_ratio"), np.array([error for _, error in learned])),
            "collapse": ("n", [collapse(reference, log_n=np.log(n)) for n in SIZES]),
        },
        coords={"noise_ratio": r, "network_ratio": NETWORK_RATIOS, "n": list(SIZES)},
        attrs={"images": len(images)},
    )


def predictions(numbers: "xarray.Dataset") -> list[dict[str, Any]]:
    """For each N the predicted r_c and two measured ones, None where nothing collapses in the range shown.

    "empirical": where the participation of the empirical score passes ½; "network": where the network's d(r)
    falls below half that of the network trained on most points, which generalizes.
    """
    r, coarse = numbers["noise_ratio"].values, numbers["network_ratio"].values
    learned = numbers["network"].values
    return [
        {
            "n": int(n),
            "predicted": float(numbers["collapse"].values[i]),
            "empirical": half_crossing(r, 1 - numbers["participation"].values[i]),
            "network": half_crossing(coarse, learned[i] / learned[-1]),
        }
        for i, n in enumerate(numbers["n"].values)
    ]


def half_crossing(r: Array, share: Array) -> float | None:
    """Largest r below which `share` lies under one half, linear in ln r; None if it never does."""
    below = np.flatnonzero(share < 0.5)
    if not len(below) or below[-1] == len(r) - 1:
        return None
    i = below[-1]
    weight = (0.5 - share[i]) / (share[i + 1] - share[i])
    return float(np.exp(np.log(r[i]) + weight * np.log(r[i + 1] / r[i])))


def _participation(points: Array, r: Array, seed: int, queries: int) -> Array:
    """E Y(r) over planted points."""
    from ...simulations import EmpiricalScore

    score = EmpiricalScore(points)
    planted = (score.planted(ratio, np.random.default_rng(seed), queries)[0] for ratio in r)
    return np.array([np.mean(score.participation(x, ratio)) for x, ratio in zip(planted, r, strict=True)])


def _learned(points: Array, out: Path, preset: str, seed: int) -> tuple[Array, Array]:
    """d(r) of a network trained on `points`, at noised training points: means and standard errors."""
    from ...models import TrainingConfig, train

    size = PRESETS[preset]
    # trained below √0.02, the smallest scale shown: networks overshoot at the edge of their training range
    config = TrainingConfig.quick(sigma_min=0.06, sigma_max=20.0, seed=seed, **size["network"])
    directory = out / "networks" / f"digits-{len(points)}-{preset}-{seed}"
    network = training_stage(
        f"network on N = {len(points)} digits",
        lambda report: train(points, config, directory, progress=report),
    )
    rng = np.random.default_rng(seed + 2)
    probed = points[rng.permutation(len(points))[: size["network_points"]]]
    estimate = network.dimension(NETWORK_RATIOS, rng, points=probed)
    return np.asarray(estimate.mean), np.asarray(estimate.stderr)


def _picture(numbers: "xarray.Dataset") -> "Figure":
    from matplotlib import pyplot

    from ..drawing.style import styled

    r, coarse = numbers["noise_ratio"].values, numbers["network_ratio"].values
    with styled():
        figure, (left, right) = pyplot.subplots(1, 2, figsize=(10.5, 4.3), width_ratios=[1.25, 1])
        left.plot(r, numbers["all_digits"].values, color="black", label=f"all {numbers.attrs['images']} digits")
        right.plot(r, numbers["information"].values, color="black", label="I(r) of all digits (sum rule)")
        for i, n in enumerate(numbers["n"].values):
            color, marker = f"C{i}", "os^"[i]
            left.plot(r, numbers["empirical"].values[i], color=color, label=f"empirical score, N = {n}")
            left.errorbar(
                coarse,
                numbers["network"].values[i],
                numbers["network_error"].values[i],
                color=color,
                marker=marker,
                ls="none",
                mfc="white",
                label=f"network, N = {n}",
            )
            r_c = float(numbers["collapse"].values[i])
            left.axvline(r_c, color=color, ls=":", lw=1.2)
            right.plot([r.min(), r_c, r_c], [np.log(n), np.log(n), 0], color=color, ls=":", lw=1.2)
            right.plot(r_c, np.log(n), color=color, marker=marker, ls="none", label=f"N = {n}: r_c = {r_c:.3g}")
        left.plot([], [], color="black", ls=":", lw=1.2, label="predicted collapse r_c")
        left.set(xlim=(1e-2, 3e2), ylim=(0.03, 80), xlabel="noise ratio r (mean pixel variance = 1)")
        left.set(xscale="log", yscale="log", ylabel="dimension d(r)")
        left.set_title("(a) dimension at scale r: the empirical score collapses, networks may generalize")
        right.set(xscale="log", xlim=(1e-2, 3e2), ylim=(0, 8), xlabel="noise ratio r (mean pixel variance = 1)")
        right.set_ylabel("information I(r)  [nats]")
        right.set_title("(b) collapse: I(r_c) = ln N")
        right.legend(loc="upper right")
        figure.legend(*left.get_legend_handles_labels(), loc="outside lower left", ncols=4)
        return figure
