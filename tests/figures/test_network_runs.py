"""Networks trained side by side are those trained alone."""

from functools import partial

import numpy as np
import pytest

from remanifold.figures.network_runs import NetworkRun, side_by_side, trained
from remanifold.models import TrainingConfig, train

TINY = {"width": 8, "batch_size": 16, "steps": 6}


@pytest.mark.slow  # each process imports torch
def test_networks_of_processes_are_those_of_one(tmp_path):
    points = np.random.default_rng(0).standard_normal((20, 3))
    runs = [NetworkRun(points, TrainingConfig.quick(seed=k, **TINY), tmp_path / str(k)) for k in range(2)]
    for run, network in zip(runs, trained(runs, "two networks"), strict=True):
        alone = train(points, run.config, progress=False)
        assert np.array_equal(network.score(points, 0.1), alone.score(points, 0.1))


def test_an_error_in_a_process_is_raised():
    with pytest.raises(ValueError, match="invalid literal"):
        side_by_side([partial(int, "no number"), partial(int, "1")], "numbers")
