"""Derivations on paper: for a terminal, as a LaTeX fragment, as JSON."""

import re
import textwrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sympy import Eq, Expr

    from .steps import Derivation

_WIDTH = 100
_LONG = 160  # characters of LaTeX beyond which a sum is broken over lines
_SIGNS = {
    "alpha": "α", "beta": "β", "delta": "δ", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π",
    "rho": "ρ", "sigma": "σ", "tau": "τ", "theta": "θ", "phi": "φ", "Delta": "Δ", "Lambda": "Λ",
    "sum": "Σ", "oint": "∮", "partial": "∂", "nabla": "∇", "pm": "±", "sim": "~", "to": "→",
}  # fmt: skip


def plain(text: str) -> str:
    """A sentence for the terminal: the simple LaTeX between its dollars as signs."""
    return re.sub(r"\$([^$]*)\$", lambda found: _signs(found[1]), text)


def _signs(formula: str) -> str:
    formula = formula.replace(r"\frac{1}{2}", "½").replace(r"\,", " ")
    formula = re.sub(r"\\sqrt\{(.|\\\w+)\}", r"√\1", formula)
    formula = re.sub(r"\\sqrt\{([^{}]*)\}", r"√(\1)", formula)
    formula = re.sub(
        r"\\([A-Za-z]+)(?=([\w\\]?))",  # a function's name keeps a space before its argument
        lambda found: _SIGNS.get(found[1], found[1] + (" " if found[2] else "")),
        formula,
    )
    return re.sub(r"_\{(\w+)\}", r"_\1", formula.replace("^2", "²"))


def terminal(derivation: "Derivation") -> str:
    """Numbered steps, each formula drawn and then in LaTeX."""
    head = [derivation.name, *textwrap.wrap(plain(derivation.shows), _WIDTH), f"Source: {derivation.source}"]
    blocks = ["\n".join(head)]
    for number, (text, formula) in enumerate(derivation.steps, 1):
        blocks.append(textwrap.fill(f"{number}. {plain(text)}", _WIDTH, subsequent_indent="   "))
        blocks.append(textwrap.indent(_drawn(formula), "      "))
        blocks.append(f"   LaTeX: {_latex(formula)}")
    return "\n\n".join(blocks)


def latex(derivation: "Derivation") -> str:
    """A fragment for a document with amsmath: a paragraph, then each step with its display."""
    lines = [
        f"% remanifold derive {derivation.name} --latex   (needs amsmath; UTF-8)",
        rf"\paragraph{{{derivation.name}.}} {derivation.shows}",
        rf"\emph{{Source: {derivation.source}.}}",
    ]
    for text, formula in derivation.steps:
        lines += ["", text, _display(formula)]
    return "\n".join(lines) + "\n"


def record(derivation: "Derivation") -> dict[str, Any]:
    """Everything as strings; expressions in SymPy's own syntax beside their LaTeX."""
    return {
        "name": derivation.name,
        "shows": derivation.shows,
        "source": derivation.source,
        "steps": [
            {"text": text, "latex": _latex(formula), "left": str(formula.lhs), "right": str(formula.rhs)}
            for text, formula in derivation.steps
        ],
        "results": {name: {"latex": _latex(value), "sympy": str(value)} for name, value in derivation.results.items()},
    }


def _drawn(formula: "Eq") -> str:
    import sympy

    natural = sympy.Function("ln")
    sides = [side.replace(sympy.log, natural) for side in formula.args]
    named = {item: sympy.Symbol(f"{item.base}_{item.indices[0]}") for item in formula.atoms(sympy.Indexed)}  # λᵢ
    drawn = sympy.Eq(*(side.xreplace(named) for side in sides), evaluate=False)
    return str(sympy.pretty(drawn, use_unicode=True, num_columns=_WIDTH))


def _latex(expression: "Expr | Eq") -> str:
    import sympy

    return str(sympy.latex(expression, ln_notation=True))


def _display(formula: "Eq") -> str:
    whole = _latex(formula)
    if len(whole) <= _LONG or not formula.rhs.is_Add:
        return f"\\begin{{equation*}}\n{whole}\n\\end{{equation*}}"
    terms = [_latex(term) for term in formula.rhs.as_ordered_terms()]
    signed = [term if term.startswith("-") else f"+ {term}" for term in terms]
    signed[0] = terms[0]
    lines = [" ".join(signed[first : first + 4]) for first in range(0, len(signed), 4)]
    body = " \\\\\n&\\quad ".join(lines)
    return f"\\begin{{align*}}\n{_latex(formula.lhs)} &= {body}\n\\end{{align*}}"
