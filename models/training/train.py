"""Denoising score matching: from points to a `ScoreNetwork`, interruptible and resumable bit for bit.

Loss: by default E_{y, σ, ξ} mean_i [F(c_in x, ln σ) - (y - c_skip x)/c_out]_i², the EDM loss with weight 1/c_out²
(arXiv 2206.00364). Its smallest possible value at r is tr C/(D c_out²), not 0. Others: `TrainingConfig.loss_on`.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from numpy.typing import ArrayLike

from ...conventions.arguments import numbers, positive_integer
from ...conventions.progress import Report, training
from ...theory.processes import Process
from ..score_network import ScoreNetwork
from . import checkpoint
from .config import TrainingConfig
from .noised_batches import NoisedBatches
from .run import TrainingRun
from .run_directory import RunDirectory, identity

REPORT_EVERY = 50  # steps between two lines of metrics


def train(
    points: ArrayLike,
    config: TrainingConfig | None = None,
    directory: str | Path | None = None,
    process: Process | None = None,
    progress: Report | bool = True,
    *,
    checkpoint_every: int = 500,
    threads: int = 1,
    device: str = "cpu",
) -> ScoreNetwork:
    """Trains a network on `points` and returns it with its averaged weights.

    Args:
        points: the training set (N, D), not all points equal.
        config: default `TrainingConfig.quick()`.
        directory: where to keep checkpoint.json (+ safetensors), metrics.jsonl (one line {"step", "loss",
            "seconds"} per 50 steps, the loss a mean over them) and, at the end, network.json (see
            `ScoreNetwork.load`). A run found there is taken up at its last checkpoint, or returned if
            finished; on one machine the result is the same, bit for bit, as without the interruption.
        process: draw the noise levels uniformly in this process's time instead of log-uniformly in σ.
        progress: True for a bar on a terminal, False for none, or a function of (step, steps, loss).
        checkpoint_every: steps between checkpoints: what a killed run can lose.
        threads: CPU threads. One is nearly as fast as two for these sizes, does not become ten times slower
            when other programs are busy, and makes the result independent of the number of cores.
        device: "cpu", "cuda" or "mps".

    Raises:
        ValueError: for bad arguments, or a checkpoint in `directory` that is truncated, altered, or that of
            another configuration, data set or process.
        FloatingPointError: if the loss stops being finite.
    """
    data = numbers(points, "points")
    config = TrainingConfig.quick() if config is None else config
    positive_integer(checkpoint_every, "checkpoint_every")
    positive_integer(threads, "threads")
    run = TrainingRun(NoisedBatches(data, config, process), config, torch.device(device))
    store = None if directory is None else RunDirectory(Path(directory), identity(data, config, process))
    if store:
        store.resume(run)
    finished = run.step == config.steps
    if not finished:
        with _threads(threads):
            _advance(run, store, progress, checkpoint_every)
    network = run.score_network(device)
    if store and not (finished and checkpoint.exists(store.directory, "network")):
        network.save(store.directory)
    return network


def _advance(run: TrainingRun, store: RunDirectory | None, progress: Report | bool, checkpoint_every: int) -> None:
    """The loop: steps, metrics and checkpoints up to the end."""
    steps, total, count = run.config.steps, torch.zeros((), device=run.device), 0
    start = time.perf_counter() - run.seconds
    with training(progress, "training", steps, run.step) as report:
        while run.step < steps:
            total += run.advance()
            count += 1
            keep = run.step % checkpoint_every == 0 or run.step == steps
            if not (keep or run.step == 1 or run.step % REPORT_EVERY == 0):
                continue
            loss, run.seconds = float(total) / count, time.perf_counter() - start
            if not math.isfinite(loss):
                raise FloatingPointError(f"the loss became {loss} at step {run.step}: lower the learning rate")
            total.zero_()
            count = 0
            if store:
                store.log(run, loss)
                if keep:
                    store.save(run)
            report(run.step, steps, loss)


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Lends torch `count` CPU threads, then gives back the caller's number."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
