"""The package as a stranger installs it: what is in it, what it loads, and that it leaves their own folders alone."""

import os
import re
import shutil
import subprocess
import sys
import textwrap
import tomllib
import venv
import zipfile
from fnmatch import fnmatch
from importlib.metadata import version
from pathlib import Path
from time import perf_counter

import pytest

import remanifold as rm

ROOT = Path(__file__).parents[1]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
NOT_SHIPPED = {"tests", "docs", ".venv", ".ci", "build", "dist", "output"}
HEAVY = ("torch", "numba", "llvmlite", "sklearn", "matplotlib", "sympy", "xarray")


def python(code: str, cwd: Path = ROOT, executable: str | Path = sys.executable) -> str:
    """What a new process prints; its error is the test's."""
    command = [str(executable), "-c", textwrap.dedent(code)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def loaded(code: str, names: tuple[str, ...]) -> list[str]:
    return python(f"import sys\n{code}\nprint(*[name for name in {names} if name in sys.modules])").split()


# what is in it


def packages() -> set[str]:
    """Dotted names of the tree's packages, whatever pyproject.toml says."""
    folders = [path.parent.relative_to(ROOT) for path in ROOT.rglob("__init__.py")]
    shipped = [folder.parts for folder in folders if not folder.parts or folder.parts[0] not in NOT_SHIPPED]
    return {".".join(("remanifold", *parts)) for parts in shipped}


def content() -> set[str]:
    """Files of the packages: code, and what stands beside it."""
    files = set()
    for package in packages():
        folder = ROOT.joinpath(*package.split(".")[1:])
        beside = [path for path in folder.iterdir() if path.is_file() and not path.name.endswith((".nbi", ".nbc"))]
        if folder == ROOT:  # here the repository's own papers lie as well
            beside = [path for path in beside if path.suffix == ".py" or path.name == "py.typed"]
        files |= {"/".join((*package.split("."), path.name)) for path in beside}
    return files


def test_every_package_is_listed():
    assert sorted(SETTINGS["packages"]) == sorted(packages())


def test_everything_beside_the_code_is_listed():
    data = {name for name in content() if not name.endswith(".py")}
    patterns = [
        f"{package.replace('.', '/')}/{end}" for package, ends in SETTINGS["package-data"].items() for end in ends
    ]
    assert {name for name in data if not any(fnmatch(name, pattern) for pattern in patterns)} == set()
    assert [pattern for pattern in patterns if not any(fnmatch(name, pattern) for name in data)] == []


def test_no_folder_of_code_is_left_out():
    """A folder without __init__.py would work here and be missing in the wheel."""
    folders = {path.parent.relative_to(ROOT) for path in ROOT.rglob("*.py")}
    bare = {folder for folder in folders if not (ROOT / folder / "__init__.py").exists()}
    assert {folder for folder in bare if folder.parts[0] not in NOT_SHIPPED} == set()


# what it loads


def test_the_front_door_loads_nothing():
    """Not even NumPy: 50 ms are spent by then. The names behind it are all there."""
    assert loaded("import remanifold", ("numpy", "scipy", *HEAVY)) == []
    assert int(python("import sys; n = len(sys.modules); import remanifold; print(len(sys.modules) - n)")) < 150
    assert sorted(dir(rm)) == sorted(rm.__all__)
    assert [name for name in rm.__all__ if not getattr(rm, name)] == []


@pytest.mark.parametrize("room", ["conventions", "theory", "manifolds"])
def test_rooms_of_mathematics_are_light(room):
    later = ("simulations", "models", "probes", "figures", "command", "manifolds")
    others = tuple(f"remanifold.{name}" for name in later if name != room)
    assert loaded(f"import remanifold.{room}", (*HEAVY, *others)) == []


@pytest.mark.parametrize("room", ["models", "probes", "figures", "command"])
def test_other_rooms_wait_for_torch(room):
    assert loaded(f"import remanifold.{room}", ("torch", "matplotlib", "sympy")) == []


def test_version():
    assert rm.__version__ == version("remanifold")


def test_version_of_the_command():
    command = [sys.executable, "-m", "remanifold", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, f"remanifold {rm.__version__}\n")


# beside a project of one's own


def project(folder: Path, packaged: bool) -> Path:
    """A project that calls its folders as ours are called."""
    for room in ("theory", "manifolds", "simulations", "models", "figures", "probes", "command", "conventions"):
        (folder / room).mkdir(parents=True)
        (folder / room / "mine.py").write_text(f"name = 'my {room}'\n")
        if packaged:
            (folder / room / "__init__.py").write_text("")
    return folder


USE = """
    import numpy as np
    import models.mine, figures.mine, theory.mine
    import remanifold as rm
    from remanifold.figures import registry
    from theory import mine
    law = rm.Linear([1.0] * 16)
    assert abs(rm.collapse(law, log_n=np.log(3000)) - 1 / (3000 ** (1 / 8) - 1)) < 1e-12
    assert all(name.startswith("my ") for name in (models.mine.name, figures.mine.name, mine.name))
    print(rm.__file__)
"""
MEASURE = """
    from remanifold.models import LinearScore
    points = law.sample(50, np.random.default_rng(0))
    assert rm.EmpiricalScore(points).score(points[0], 0.1).shape == (16,)
    assert LinearScore(np.ones(16)).score(points[0], 0.1).shape == (16,)
"""


@pytest.mark.parametrize("packaged", [True, False])
def test_a_project_keeps_its_own_rooms(tmp_path, packaged):
    assert Path(python(USE, cwd=project(tmp_path / "work", packaged))).resolve() == ROOT / "__init__.py"


# as installed


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the source, because building leaves files in it."""
    copy = tmp_path_factory.mktemp("source") / "clone"
    ignored = (".git", ".venv", "build", "dist", "output", "*.egg-info", "__pycache__", ".*_cache", ".hypothesis")
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*ignored))
    return copy


def pip(executable: str | Path, *arguments: str, cwd: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [str(executable), "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=1500)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_wheel_is_the_packages_and_nothing_else(tree, tmp_path):
    pip(sys.executable, "wheel", "--no-deps", "--wheel-dir", str(tmp_path), str(tree), cwd=tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    top = {name.split("/")[0] for name in names}
    assert {name for name in top if not name.endswith(".dist-info")} == {"remanifold"}
    assert {name for name in names if name.startswith("remanifold/")} == content()
    (entry,) = (name for name in names if name.endswith("entry_points.txt"))
    assert "remanifold = remanifold.command.application:main" in zipfile.ZipFile(wheel).read(entry).decode()


@pytest.fixture(scope="module")
def installed(tree, tmp_path_factory):
    """The Python of an empty environment into which `pip install` of the tree went, from another folder."""
    home = tmp_path_factory.mktemp("environment")
    venv.create(home / "venv", with_pip=True)
    executable = home / "venv" / "bin" / "python"
    pip(executable, "install", "--constraint", str(tree / "constraints.txt"), str(tree), cwd=home)
    yield executable
    shutil.rmtree(home)  # more than a gigabyte


@pytest.mark.slow
@pytest.mark.parametrize("packaged", [True, False])
def test_installed_beside_a_project(installed, tmp_path, packaged, monkeypatch):
    monkeypatch.delenv("PYTHONPATH", raising=False)
    home = Path(python(USE + MEASURE, cwd=project(tmp_path / "work", packaged), executable=installed))
    assert home.is_relative_to(installed.parents[1])
    found = subprocess.run(
        [installed.with_name("remanifold"), "--version"], cwd=tmp_path, capture_output=True, text=True
    )
    assert re.search(r"\d+\.\d+", found.stdout)


@pytest.mark.slow
def test_times_of_starting(installed, tmp_path, monkeypatch):
    """Fastest of ten starts, beside those of Python itself."""
    monkeypatch.delenv("PYTHONPATH", raising=False)

    def fastest(*arguments: str) -> float:
        times = []
        for _ in range(10):
            begun = perf_counter()
            subprocess.run([installed, *arguments], cwd=tmp_path, check=True, capture_output=True)
            times.append(perf_counter() - begun)
        return min(times)

    python_alone = fastest("-c", "pass")
    assert fastest("-c", "import remanifold") - python_alone < 0.05
    assert fastest("-m", "remanifold", "--help") < 0.3
