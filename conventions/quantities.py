"""What the names in result files mean: one word, one meaning, for every figure, run and sweep.

A measured NAME has its standard error in NAME_stderr; NAME_theory is the prediction for N points, NAME_population that
for N → ∞ (`SUFFIXES`). A second grid of noise ratios is r_ and what is looked at there.
"""

from collections.abc import Mapping

from .arguments import fail

Meaning = tuple[str, str]  # long_name, units ("1" where there is none)
_SQUARES = "squared units of the data"  # r = (s/a)², s the deviation of the noise on data scaled by a

QUANTITIES: dict[str, Meaning] = {
    # coordinates
    "r": ("noise-to-signal ratio", _SQUARES),
    "n": ("number of training points N", "1"),
    "log_n": ("ln N of the number of training points", "1"),
    "seed": ("seed of the data set and its network", "1"),
    "leg": ("what was measured: the empirical score or a network", "1"),
    "law": ("data law", "1"),
    "t": ("Ornstein–Uhlenbeck time", "1"),
    "step": ("training step", "1"),
    "width": ("width of the network", "1"),
    "rank": ("rank, from the largest", "1"),
    "intrinsic_dim": ("intrinsic dimension d of the manifold", "1"),
    "ratio": ("ratio of the second largest variance to the largest", "1"),
    # observables of a score
    "dimension": ("dimension d(r) = E tr C/r", "1"),
    "information": ("information I(r) = I(y; x)", "nat"),
    "participation": ("participation E Y of the posterior weights", "1"),
    "retrieval": ("retrieval E w_1, the weight of a noisy point's own training point", "1"),
    "excess_entropy": ("excess entropy E ln(1 + Z_rest/Z_1)", "nat"),
    "memorized": ("fraction of samples that are copies of training points", "1"),
    "clone_probability": ("probability that two clones branched at t end in one class", "1"),
    # critical noise ratios
    "collapse": ("noise ratio r_c of collapse, I(r_c) = ln N", _SQUARES),
    "onset": ("noise ratio r_o of the onset of traps", _SQUARES),
    "generalization": ("noise ratio r_g of best generalization", _SQUARES),
    "symmetry_breaking": ("noise ratio at which the symmetric point turns unstable", _SQUARES),
    "speciation": ("noise ratio of speciation", _SQUARES),
}
SUFFIXES = {
    "_stderr": "standard error of {}",
    "_theory": "{}: theory for N points",
    "_population": "{}: population, N → ∞",
}


def meaning(name: str, further: Mapping[str, Meaning]) -> Meaning:
    """Long name and units of `name`, from `further` or the table; ValueError if neither knows it."""
    for known in (further, QUANTITIES):
        if name in known:
            return known[name]
    for suffix, words in SUFFIXES.items():
        if name.endswith(suffix):
            stem, units = meaning(name.removesuffix(suffix), further)
            return words.format(stem), units
    if name.startswith("r_"):
        return f"noise-to-signal ratio ({name[2:].replace('_', ' ')})", _SQUARES
    raise fail("variable", name, "must have a meaning: give its long name and units")
