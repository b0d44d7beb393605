"""Derivations that SymPy performs, by name; SymPy is imported only when one of them is asked for."""

from importlib import import_module
from typing import TYPE_CHECKING

from ...conventions.arguments import one_of

if TYPE_CHECKING:
    from .steps import Derivation

DERIVATIONS = {
    "processes": "The noise ratio of each forward process, from its equation of motion, and the inverse.",
    "information-mmse": r"On a linear law the information falls with $\ln r$ at half the dimension seen at scale $r$.",
    "collapse-isotropic": "Collapse of an isotropic linear law in closed form, as a noise ratio and as a time.",
    "collapse-two-variances": "Collapse of a law with two variances: closed for equal multiplicities, expanded else.",
    "onset": "Onset of traps of an isotropic linear law in closed form, by the Lambert function.",
    "basin": "The basin radius of a linear law, equal to 1 at collapse and to 0 at onset.",
    "generalization": "Best generalization of a linear law, by freezing, and its expansion at large $N$.",
    "circle": "Information and dimension of a circle at small noise, from the Bessel asymptotics.",
    "sphere": "Information and dimension of a sphere of any dimension at small noise, and its symmetry breaking.",
    "curvature": "The first correction of curvature to the information of any smooth embedded manifold.",
    "speciation-two-gaussians": "When two Gaussians become two valleys, and what clones do there.",
    "symmetry-breaking": "Three conventions for the breaking of a symmetric point, compared on two classes.",
    "geometric-memorization": "The published times of losing a direction, from Gaussian energies, and their regime.",
    "ordering": "Which direction is lost first at the origin of a linear law: the one whose variance is the noise.",
}


def derivation(name: str) -> "Derivation":
    """The derivation called `name`, performed now (up to a few seconds); ValueError for an unknown name."""
    one_of(name, DERIVATIONS, "derivation")
    from .steps import Derivation

    module = import_module("." + name.replace("-", "_"), __name__)
    return Derivation(name, DERIVATIONS[name], module.SOURCE, *module.derive())


__all__ = ["DERIVATIONS", "derivation"]
