"""The command line imports models at start: that must not load torch."""

import subprocess
import sys

import pytest

from remanifold import models


def test_import_leaves_torch_alone():
    script = "import sys, remanifold.models as m; m.TrainingConfig.quick(); print('torch' in sys.modules, dir(m))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.startswith("False ['LinearScore', 'RandomFeatureScore', 'ResidualMLP', ")


def test_names_are_what_they_are_called_whatever_was_imported_before():
    for _ in range(2):
        assert {name: getattr(models, name).__name__ for name in models.__all__} == {n: n for n in models.__all__}
        assert all(getattr(models, name).__module__.startswith("remanifold.models.") for name in models.__all__)


def test_closed_form_models_and_probes_leave_torch_alone():
    script = """
import sys, numpy as np
from remanifold import models, probes
score = models.LinearScore([1.0, 0.5, 0.1])
probes.dimensions(score, np.zeros(3), 0.1, np.random.default_rng(0))
print('torch' in sys.modules)
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout == "False\n"


def test_unknown_name():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        models.nothing
