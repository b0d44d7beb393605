"""A network may return the noise, the clean point or EDM's mixture: the score, the loss and the training follow."""

import numpy as np
import pytest
import torch

from remanifold.models.score_network import ScoreNetwork
from remanifold.models.training.config import TrainingConfig
from remanifold.models.training.noised_batches import NoisedBatches
from remanifold.models.training.train import train

SCALE = 0.7
VARIANCES = np.array([2.0, 0.5, 0.03, 0.0])


class GaussianPrediction(torch.nn.Module):
    """Bayes prediction of ξ, y/s or sin α y/s - cos α ξ from c_in x, for independent normal coordinates."""

    def __init__(self, predicts):
        super().__init__()
        self.predicts = predicts
        self.register_buffer("variances", torch.from_numpy(VARIANCES))

    def forward(self, shown, log_sigma):
        sigma = log_sigma.exp()[:, None]
        x = shown * (SCALE**2 + sigma**2).sqrt()
        noise, clean = sigma * x / (self.variances + sigma**2), self.variances * x / (self.variances + sigma**2) / SCALE
        angle = torch.atan(sigma / SCALE)
        return {"eps": noise, "x0": clean, "v": angle.sin() * clean - angle.cos() * noise}[self.predicts]


@pytest.mark.parametrize("r", [1e-6, 1e-2, 1.0, 1e4])
@pytest.mark.parametrize("predicts", ["eps", "x0", "v"])
def test_gaussian_closed_forms(predicts, r, rng):
    network = ScoreNetwork(GaussianPrediction(predicts), 4, SCALE, predicts=predicts)
    x = rng.standard_normal((5, 4))
    np.testing.assert_allclose(network.posterior_mean(x, r), x * VARIANCES / (VARIANCES + r), rtol=1e-6, atol=1e-9)
    score = -x / (VARIANCES + r)
    # x0 gives the score as a difference of order √r: digits are lost there, and only there
    tolerance = 1e-9 / r if predicts == "x0" else 1e-9 / np.sqrt(r)
    np.testing.assert_allclose(network.score(x, r), score, rtol=1e-6, atol=tolerance)
    np.testing.assert_allclose(network.jacobian_spectrum(x[0], r), -1 / (VARIANCES + r), rtol=1e-6, atol=tolerance)
    v = rng.standard_normal((5, 4))
    for transpose in (False, True):
        product = network.jacobian_product(x, r, v, transpose=transpose)
        np.testing.assert_allclose(product, -v / (VARIANCES + r), rtol=1e-6, atol=tolerance)


@pytest.mark.parametrize("loss_on", ["eps", "x0", "v"])
@pytest.mark.parametrize("predicts", ["eps", "x0", "v"])
def test_loss_does_not_depend_on_what_is_predicted(predicts, loss_on, rng):
    """The weighted loss of the Bayes network is Σ λr/(λ+r)/D times the noise-level weight of `loss_on`."""
    data = rng.standard_normal((4000, 4)) * np.sqrt(VARIANCES)
    config = TrainingConfig(batch_size=1000, predicts=predicts, loss_on=loss_on, sigma_min=0.2, sigma_max=3.0)
    batches = NoisedBatches(data, config)
    total, expected = [], []
    for step in range(40):
        shown, log_sigma, target, weight = (tensor.double() for tensor in batches(step))
        r = np.exp(2 * log_sigma.numpy())
        # the batches scale by the data's own rms, the network by SCALE: shown to it in its units
        x = shown.numpy() * np.sqrt(batches.sigma_data**2 + r)[:, None]
        bayes = x * VARIANCES / (VARIANCES + r[:, None])
        prediction = {
            "eps": (x - bayes) / np.sqrt(r)[:, None],
            "x0": bayes / batches.sigma_data,
            "v": None,
        }[predicts]
        if predicts == "v":
            angle = np.arctan(np.sqrt(r) / batches.sigma_data)[:, None]
            prediction = np.sin(angle) * bayes / batches.sigma_data - np.cos(angle) * (x - bayes) / np.sqrt(r)[:, None]
        total.append(np.mean((prediction - target.numpy()) ** 2 * weight.numpy()))
        error = np.mean(VARIANCES * r[:, None] / (VARIANCES + r[:, None]), axis=1) / batches.sigma_data**2
        level = {"eps": batches.sigma_data**2 / r, "x0": 1.0, "v": 1 + batches.sigma_data**2 / r}[loss_on]
        expected.append(np.mean(error * level))
    deviations = np.array(total) - expected
    # the mean of the data was subtracted: an error of order 1/N in the law, below the scatter
    assert abs(deviations.mean()) < 4 * deviations.std(ddof=1) / np.sqrt(len(deviations)) + 1e-3 * np.mean(expected)


@pytest.mark.parametrize(("predicts", "loss_on"), [("eps", None), ("x0", None), ("x0", "eps")])
def test_trained_network_finds_the_dimension(predicts, loss_on, rng, tmp_path):
    variances = np.array([1.0, 1.0, 0.04, 0.04])
    data = rng.standard_normal((5000, 4)) * np.sqrt(variances)
    config = TrainingConfig(
        steps=800, batch_size=256, width=48, predicts=predicts, loss_on=loss_on, sigma_min=0.1, sigma_max=3.0
    )
    network = train(data, config, tmp_path, progress=False)
    r = np.array([0.05, 0.5])
    exact = np.sum(variances[:, None] / (variances[:, None] + r), axis=0)
    np.testing.assert_allclose(network.dimension(r, rng, points=data[:200]).mean, exact, rtol=0.08)
    again = ScoreNetwork.load(tmp_path)
    np.testing.assert_allclose(again.score(data[:3], 0.5), network.score(data[:3], 0.5), rtol=1e-12)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"predicts": "score"}, "predicts = 'score'"),
        ({"loss_on": "min-snr"}, "loss_on = 'min-snr'"),
        ({"unet": 3}, "unet = 3"),
    ],
)
def test_bad_configuration(changes, message):
    with pytest.raises(ValueError, match=message):
        TrainingConfig(**changes)


def test_unknown_prediction_of_a_network():
    with pytest.raises(ValueError, match="predicts = 'y'"):
        ScoreNetwork(GaussianPrediction("eps"), 4, SCALE, predicts="y")
