"""Derivations as text: sentences a terminal can show, LaTeX that parses."""

import re

import pytest
from matplotlib.mathtext import MathTextParser

from remanifold.theory.derivations import derivation, rendering


def test_sentences_are_readable_in_a_terminal():
    assert rendering.plain(r"With $x = y + \sqrt{s}\,\xi$ at $\ln N$.") == "With x = y + √s ξ at ln N."
    assert rendering.plain(r"$\sqrt{\beta}\,\xi$, $\sqrt{1-\beta}$") == "√β ξ, √(1-β)"
    assert rendering.plain(r"$\lambda_{\max}(C) = r$, $\frac{1}{2}\ln\cosh x$") == "λ_max(C) = r, ½ln cosh x"


@pytest.mark.parametrize("name", ["curvature", "circle", "symmetry-breaking", "collapse-two-variances"])
def test_latex_is_balanced_and_parses(name):
    text = rendering.latex(derivation(name))
    assert text.count("{") == text.count("}")
    assert text.count("$") % 2 == 0
    for environment in ("equation*", "align*"):
        assert text.count(rf"\begin{{{environment}}}") == text.count(rf"\end{{{environment}}}")
    displays = re.findall(r"\\begin\{equation\*\}\n(.*?)\n\\end\{equation\*\}", text, flags=re.DOTALL)
    assert displays
    parser = MathTextParser("path")
    for formula in displays:
        parser.parse(f"${formula.replace('limits', '')}$")
    inline = [formula for line in text.splitlines() for formula in line.split("$")[1::2]]
    for formula in inline:
        parser.parse(f"${formula}$")
