"""The plan of the house, read from the source: which room may use which, no circles, capabilities instead of types."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Each room and all that it may import; benchmarks stand beside the figures, a user's front door is above all.
MAY_USE = {
    "conventions": (),
    "theory": ("conventions",),
    "manifolds": ("conventions", "theory"),
    "simulations": ("conventions", "theory", "manifolds"),
    "models": ("conventions", "theory", "manifolds"),
    "probes": ("conventions", "theory"),
    "figures": ("conventions", "theory", "manifolds", "simulations", "models", "probes"),
    "benchmarks": ("conventions", "theory", "manifolds", "simulations", "models", "probes"),
    "command": ("conventions", "theory", "manifolds", "simulations", "models", "probes", "figures", "benchmarks"),
}
# What does not yet hold: (file, room or file). Only ever shorter.
WRONG_WAY: set[tuple[str, str]] = set()
CIRCLES: set[str] = set()
ASKED_TYPES: set[tuple[str, str]] = set()
FOREIGN_PRIVATES: set[tuple[str, str]] = set()
ALLOWED = ("_replace", "_asdict", "_fields", "_make")  # of named tuples
LAWS_AND_SCORES = ("law", "score", "manifold", "source", "self.law", "self.score")
LONG_FILES = {  # file: why it is one piece
    "tests/simulations/engine/pruning/test_pruned_sums.py": "one harness of data sets for all of pruning",
    "tests/theory/test_derivations.py": "fourteen derivations against one set of checks",
}


@cache
def sources() -> dict[str, Path]:
    """Dotted name below the root, e.g. "theory.collapse", of every file of the package."""
    files = [path for room in MAY_USE for path in (ROOT / room).rglob("*.py")] + [ROOT / "__main__.py"]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in files}


@cache
def nodes(name: str) -> list[ast.AST]:
    """All that runs in the file: what stands under `if TYPE_CHECKING` is for the type checker alone."""
    found: list[ast.AST] = []
    waiting: list[ast.AST] = [ast.parse(sources()[name].read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            found.append(node)
            waiting.extend(ast.iter_child_nodes(node))
    return found


def imported(name: str) -> set[str]:
    """Files of the package that the file imports, wherever in it the import stands: on top or in a function."""
    package = name.split(".") if sources()[name].name == "__init__.py" else name.split(".")[:-1]
    found = set()
    for node in nodes(name):
        if isinstance(node, ast.Import):
            wanted = [alias.name.split(".")[1:] for alias in node.names if alias.name.startswith("remanifold.")]
            found |= {home for path in wanted if (home := file_of(path))}
        elif isinstance(node, ast.ImportFrom):
            parts = node.module.split(".") if node.module else []
            if node.level:
                parts = package[: len(package) - node.level + 1] + parts
            elif parts[:1] == ["remanifold"]:
                parts = parts[1:]
            else:
                continue
            found |= {home for alias in node.names if (home := file_of([*parts, alias.name]))}
    return found - {name}


def file_of(path: list[str]) -> str | None:
    """The file that `path` names, or that defines its last name; None for the root."""
    if ".".join(path) in sources():
        return ".".join(path)
    return ".".join(path[:-1]) if ".".join(path[:-1]) in sources() else None


@cache
def edges() -> dict[str, set[str]]:
    return {name: imported(name) for name in sources()}


def test_imports_are_found():
    """The reader itself, on three that must be there."""
    assert "theory.integrals.first_crossing" in edges()["theory.collapse"]
    assert "theory.critical_points" in edges()["command.times"]
    assert sum(map(len, edges().values())) > 500


def test_every_room_has_its_place():
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert rooms == set(MAY_USE)


def test_imports_point_down():
    wrong = {
        (name, other)
        for name, others in edges().items()
        for other in others
        if (room := name.split(".")[0]) in MAY_USE and other.split(".")[0] not in (*MAY_USE[room], room)
    }
    assert wrong == WRONG_WAY


def components() -> set[frozenset[str]]:
    """Sets of files each of which reaches all others."""

    def reach(start: str) -> set[str]:
        seen: set[str] = set()
        stack = [start]
        while stack:
            for other in edges()[stack.pop()]:
                if other not in seen:
                    seen.add(other)
                    stack.append(other)
        return seen

    reached = {name: reach(name) for name in edges()}
    return {frozenset(o for o in reached[n] if n in reached[o]) for n in reached if n in reached[n]}


def test_no_circle_between_files():
    """An import within a function counts: it only hides the circle."""
    assert {" ".join(sorted(circle)) for circle in components()} == CIRCLES


def asked_types(name: str) -> Iterator[str]:
    """isinstance on a class of the package other than a protocol of conventions; getattr, hasattr on a law or score."""
    classes = {
        alias.asname or alias.name
        for node in nodes(name)
        if isinstance(node, ast.ImportFrom) and node.level and "conventions" not in (node.module or "")
        for alias in node.names
    }
    for node in nodes(name):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        if node.func.id in ("isinstance", "issubclass"):
            named = {part.id for part in ast.walk(node.args[1]) if isinstance(part, ast.Name)} & classes
        else:
            named = node.func.id in ("getattr", "hasattr") and ast.unparse(node.args[0]) in LAWS_AND_SCORES
        if named:
            yield ast.unparse(node)


def test_capabilities_are_methods():
    """In dynamics, observables and probes: a new law or score must not need a line there."""
    files = [n for n in sources() if n.split(".")[0] in ("simulations", "probes") and ".engine" not in n]
    assert {(name, call) for name in files for call in asked_types(name)} == ASKED_TYPES


def test_no_private_attribute_of_another_class():
    """obj._name is read only by the file that defines _name; modules' own privates stay theirs as well."""
    found = set()
    for name in sources():
        defined = {n.name for n in nodes(name) if isinstance(n, ast.FunctionDef | ast.ClassDef)}
        defined |= {n.id for n in nodes(name) if isinstance(n, ast.Name)}
        defined |= {n.attr for n in nodes(name) if isinstance(n, ast.Attribute) and own(n)}
        for node in nodes(name):
            if isinstance(node, ast.Attribute) and private(node.attr) and not own(node) and node.attr not in defined:
                found.add((name, ast.unparse(node)))
    assert found == FOREIGN_PRIVATES


def private(name: str) -> bool:
    return (
        name.startswith("_") and not name.startswith("__") and name not in ("_replace", "_asdict", "_fields", "_make")
    )


def own(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")


def test_no_long_file():
    files = [*sources().values(), *(ROOT / "tests").rglob("*.py"), ROOT / "__init__.py"]
    long = {path.relative_to(ROOT).as_posix() for path in files if path.read_text(encoding="utf-8").count("\n") > 350}
    assert long == set(LONG_FILES)


# Modules, or folders of them, without a test file of their own name, and the one that covers them.
COVERED = {
    "manifolds/classes": "manifolds/test_mixture.py",
    "manifolds/energies": "theory/finite_size/test_products.py",
    "manifolds/von_mises_fisher": "manifolds/test_posterior_draws.py",
    "probes/points": "probes/test_dimensions.py",
    "manifolds/charts": "manifolds/test_parametric.py",
    "manifolds/data_source": "command/test_run_commands.py",
    "manifolds/images/array_files": "manifolds/images/test_image_files.py",
    "manifolds/images/inert_pickle": "manifolds/images/test_cifar.py",
    "manifolds/linear": "manifolds/test_posterior_at_a_point.py",
    "manifolds/normalized_linear": "manifolds/test_posterior_at_a_point.py",
    "manifolds/product": "manifolds/test_laws_over_all_scales.py",
    "models/learned_score": "models/test_score_network.py",
    "models/networks": "models/test_score_network.py",
    "models/networks/image_rows": "models/networks/test_unet.py",
    "models/networks/unet_config": "models/networks/test_unet.py",
    "models/training/run": "models/training/test_resume.py",
    "models/training/run_directory": "models/training/test_resume.py",
    "probes/score_jacobian": "probes/test_jacobian_spectrum.py",
    "simulations": "simulations/test_observables.py",
    "simulations/data_sets": "simulations/sweeps/test_sweep.py",
    "simulations/engine/control_variates": "simulations/test_planted_averages.py",
    "simulations/engine/planted_curve": "simulations/test_planted_averages.py",
    "simulations/engine/pruning": "simulations/engine/pruning/test_pruned_sums.py",
    "simulations/engine/vectors": "simulations/engine/vectors/test_brute.py",
    "simulations/integrators": "simulations/test_reverse.py",
    "simulations/neighbours": "simulations/test_memorization.py",
    "simulations/sweeps": "simulations/sweeps/test_sweep.py",
    "simulations/u_turn": "simulations/test_clones.py",
    "theory/basin_radius": "theory/test_onset.py",
    "theory/derivations": "theory/test_derivations.py",
    "theory/finite_size": "theory/finite_size/test_averages.py",
    "theory/generalization": "theory/test_onset.py",
    "theory/integrals/class_channel": "theory/test_speciation.py",
    "theory/integrals": "theory/test_phase_diagram.py",
    "theory/replica": "theory/replica/test_equilibrium.py",
    "theory/spectra": "theory/spectra/test_covariance_law.py",
}


def test_every_module_has_its_tests():
    """tests/theory/test_collapse.py for theory/collapse.py, or what COVERED names; no entry that is not needed."""
    needed = set()
    for name in sources():
        place = sources()[name].relative_to(ROOT).with_suffix("")
        if place.parts[0] not in ("theory", "manifolds", "simulations", "models", "probes") or place.name == "__init__":
            continue
        if not (ROOT / "tests" / place.with_name(f"test_{place.name}.py")).exists():
            homes = [part for part in (place, *place.parents) if part.as_posix() in COVERED]
            assert homes, f"no test of {place}"
            needed.add(homes[0].as_posix())
    assert needed == set(COVERED)


def test_what_covers_a_module_uses_it():
    """The test named in COVERED imports the module, directly or through what it imports."""
    for place, test in COVERED.items():
        seen: set[str] = set()
        waiting = [home for parts in of_the_package(ROOT / "tests" / test) if (home := file_of(parts))]
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                waiting.extend(edges()[name])
        assert any(name.replace(".", "/").startswith(place) for name in seen), f"{test} does not reach {place}"


def of_the_package(path: Path) -> Iterator[list[str]]:
    """What a test imports, each as the parts of its name below remanifold."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "remanifold":
            yield from ([*node.module.split(".")[1:], alias.name] for alias in node.names)
