"""What a derivation is: steps that SymPy performed, each with a sentence, and the expressions they end in."""

from typing import NamedTuple

import sympy
from sympy import Eq, Expr


class Step(NamedTuple):
    """A sentence (inline formulas as LaTeX between dollars) and the equation it leads to."""

    text: str
    formula: Eq


class Derivation(NamedTuple):
    """`results` have named symbols, for a reader to evaluate; `result` is the first of them."""

    name: str
    shows: str
    source: str
    steps: list[Step]
    results: dict[str, Expr]

    @property
    def result(self) -> Expr:
        """The main result."""
        return next(iter(self.results.values()))


def step(text: str, left: Expr, right: Expr) -> Step:
    """A step that ends in left = right, shown as it stands."""
    return Step(text, Eq(left, right, evaluate=False))


def must_vanish(difference: Expr, claim: str) -> None:
    """Raises ArithmeticError if SymPy cannot reduce `difference` to zero: a derivation never prints what it missed."""
    rest = sympy.simplify(difference)
    if rest != 0:
        raise ArithmeticError(f"{claim}: the two sides differ by {rest}")
