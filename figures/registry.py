"""The figures that can be drawn, by name; each lives in a module of `catalogue` with `draw(out, preset, seed)`."""

from importlib import import_module
from pathlib import Path
from types import ModuleType

from ..conventions.arguments import one_of

FIGURES = {
    "losing-dimensions": "spectra of the score's Jacobian as noise falls: published theory, network, empirical score, "
    "and exact local condensation [arXiv 2410.08727]",
    "digits-dimension": "d(r) of the empirical score and of networks on real digits, with the collapse point predicted "
    "by the sum rule",
    "phase-diagram": "phases and critical lines of a linear manifold over (ln N, r), (d, N) and (variance ratio, N)",
    "lost-first": "which subspace is lost first: published and exact order, measurement, where they disagree",
    "spectral-gaps": "the Jacobian's spectrum on random linear manifolds, its gaps and the three phases, with sampled "
    "matrices [arXiv 2410.05898]",
    "curved-dimension": "d(r) on a sphere and a torus: population, N points exactly, empirical score and networks",
    "hidden-dimension": "d(r) on the random curved manifold y = tanh(W z/√d): replicas, empirical score and networks",
    "two-variances": "d(r) against N for data of two variances on the sphere: theory, empirical score and networks "
    "[arXiv 2410.08727]",
    "mnist-dimension": "d(r) of MNIST from 100 to 60000 images: empirical score, networks, collapse by the sum rule",
    "training-memorization": "when a network generalizes and when it begins to copy, against N, and its capacity "
    "[arXiv 2505.17638]",
    "class-speciation": "when the reverse process decides between two classes of digits: clones and theory "
    "[arXiv 2402.18491]",
}


def module(name: str) -> ModuleType:
    """The module of a figure; ValueError for an unknown name."""
    one_of(name, FIGURES, "figure")
    return import_module(".catalogue." + name.replace("-", "_"), __package__)


def draw(name: str, out: Path, preset: str = "quick", seed: int = 0) -> list[Path]:
    """Computes and writes a figure (PNG, PDF) and its numbers (netCDF, JSON) into `out`; returns the paths.

    ValueError for an unknown figure or preset, and for a folder that cannot be written to.
    """
    paths: list[Path] = module(name).draw(out, preset, seed)
    return paths
