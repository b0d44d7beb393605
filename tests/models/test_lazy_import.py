"""The command line imports models at start: that must not load torch."""

import subprocess
import sys

import pytest

import models


def test_import_leaves_torch_alone():
    script = "import sys, models; models.TrainingConfig.quick(); print('torch' in sys.modules, dir(models))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.startswith("False ['ResidualMLP', 'ScoreNetwork', 'TrainingConfig', 'train']")


def test_unknown_name():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        models.nothing
