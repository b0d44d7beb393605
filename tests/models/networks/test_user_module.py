"""Networks trained elsewhere: every convention against the Gaussian law, written down in the module's own terms."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from remanifold.models.score_network import ScoreNetwork
from remanifold.theory.processes import DDPM, OrnsteinUhlenbeck, RectifiedFlow, VarianceExploding

VARIANCES = np.array([2.0, 0.5, 0.03, 0.0, 1.0, 1.0])
LEVEL_TO_TIME = {  # what the module is told, turned back into the time of its process
    "time": lambda process, level: level,
    "log_sigma": lambda process, level: process.time(np.exp(2 * level)),
    "sigma": lambda process, level: process.time(level**2),
    "noise_ratio": lambda process, level: process.time(level),
    "timestep": lambda process, level: level + 1,
}


class Bayes(torch.nn.Module):
    """Conditional expectations given x_t = a x_0 + s ξ of independent normal coordinates of variance λ."""

    def __init__(self, process, predicts, conditioning):
        super().__init__()
        self.process, self.predicts, self.conditioning = process, predicts, conditioning
        self.register_buffer("variances", torch.from_numpy(VARIANCES))

    def forward(self, x, level):
        t = LEVEL_TO_TIME[self.conditioning](self.process, level.numpy())
        a, s = (torch.from_numpy(part)[:, None] for part in (self.process.signal(t), self.process.noise_deviation(t)))
        total = a**2 * self.variances + s**2
        clean, noise = a * self.variances / total * x, s / total * x
        velocity = noise - clean if isinstance(self.process, RectifiedFlow) else a * noise - s * clean
        return {"eps": noise, "x0": clean, "score": -x / total, "v": velocity}[self.predicts]


CASES = [
    (process, predicts, conditioning)
    for process in (VarianceExploding(), OrnsteinUhlenbeck(), DDPM(), RectifiedFlow())
    for predicts in ("eps", "x0", "score", "v")
    for conditioning in ("time", "log_sigma")
    if not (predicts == "v" and isinstance(process, VarianceExploding))
] + [
    (DDPM(), "eps", "timestep"),
    (DDPM(n_steps=50, beta_last=0.3), "v", "timestep"),
    (OrnsteinUhlenbeck(), "eps", "sigma"),
    (OrnsteinUhlenbeck(), "eps", "noise_ratio"),
]


@pytest.mark.parametrize(("process", "predicts", "conditioning"), CASES)
def test_every_convention_gives_the_gaussian_score(process, predicts, conditioning, rng):
    centre = rng.standard_normal(6)
    score = ScoreNetwork.from_module(
        Bayes(process, predicts, conditioning),
        ambient_dim=6,
        predicts=predicts,
        conditioning=conditioning,
        process=process,
        centre=centre,
    )
    x, r = rng.standard_normal((5, 6)) + centre, np.array([2e-4, 1e-3, 0.1, 1.0, 100.0])
    total = VARIANCES + r[:, None]
    np.testing.assert_allclose(score.score(x, r), -(x - centre) / total, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(score.posterior_mean(x, r), centre + (x - centre) * VARIANCES / total, atol=1e-8)
    spectra = np.sort(-1 / total)[:, ::-1]
    np.testing.assert_allclose(score.jacobian_spectrum(x, r), spectra, rtol=1e-6)


class DiffusersLike(torch.nn.Module):
    """module(images, timestep) → object with .sample; knows ᾱ of its own schedule; integer steps from 0."""

    def __init__(self, wrap):
        super().__init__()
        betas = np.linspace(1e-4, 2e-2, 1000)
        self.register_buffer("alpha_bar", torch.from_numpy(np.cumprod(1 - betas)))
        self.wrap = wrap

    def forward(self, sample, timestep):
        assert sample.shape[1:] == (3, 4, 2)  # channels first
        power = self.alpha_bar[timestep.round().long()][:, None, None, None]
        weight = torch.arange(1.0, 4.0, dtype=sample.dtype)[:, None, None]  # variance of each colour
        noise = (1 - power).sqrt() * sample / (power * weight + 1 - power)
        return self.wrap(noise)


@pytest.mark.parametrize(
    "wrap", [lambda noise: SimpleNamespace(sample=noise), lambda noise: (noise,), lambda noise: noise]
)
def test_diffusers_style_model(wrap, rng):
    score = ScoreNetwork.from_module(
        DiffusersLike(wrap), image_shape=(4, 2, 3), predicts="eps", conditioning="timestep", process=DDPM()
    )
    steps = np.array([0, 1, 400, 999])
    r = DDPM().noise_ratio(steps + 1)
    x = rng.standard_normal((4, 24))
    variances = np.tile([1.0, 2.0, 3.0], 8)  # channels last
    np.testing.assert_allclose(score.score(x, r), -x / (variances + r[:, None]), rtol=1e-6)
    spectrum = np.sort(-1 / (variances + r[2]))[::-1]
    np.testing.assert_allclose(score.jacobian_spectrum(x[2], r[2]), spectrum, rtol=1e-6)
    assert score.dimension(r[2], rng, points=x).mean == pytest.approx(np.sum(variances / (variances + r[2])), rel=1e-6)


@pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")  # torch's own, on copying the module
def test_exported_module(rng):
    """A module written by torch.export, for any number of rows, differentiates like the original."""
    network = torch.nn.Sequential(torch.nn.Linear(3, 16), torch.nn.Tanh(), torch.nn.Linear(16, 3)).double()

    class Told(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = network

        def forward(self, x, level):
            return self.inner(x) * level[:, None]

    rows = torch.export.Dim("rows")
    arguments = (torch.zeros(4, 3).double(), torch.zeros(4).double())
    exported = torch.export.export(Told(), arguments, dynamic_shapes=({0: rows}, {0: rows})).module()
    plain = ScoreNetwork.from_module(Told(), ambient_dim=3, predicts="x0", conditioning="sigma")
    other = ScoreNetwork.from_module(exported, ambient_dim=3, predicts="x0", conditioning="sigma")
    x, v = rng.standard_normal((5, 3)), rng.standard_normal((5, 3))
    np.testing.assert_allclose(other.score(x, 0.3), plain.score(x, 0.3), rtol=1e-12)
    np.testing.assert_allclose(other.jacobian_spectrum(x, 0.3), plain.jacobian_spectrum(x, 0.3), rtol=1e-10)
    np.testing.assert_allclose(other.jacobian_product(x, 0.3, v), plain.jacobian_product(x, 0.3, v), rtol=1e-10)


def test_timestep_implies_the_published_schedule(rng):
    score = ScoreNetwork.from_module(DiffusersLike(lambda noise: noise), image_shape=(4, 2, 3), conditioning="timestep")
    x, r = rng.standard_normal(24), float(DDPM().noise_ratio(11))
    np.testing.assert_allclose(score.score(x, r), -x / (np.tile([1.0, 2.0, 3.0], 8) + r), rtol=1e-6)


def adapted(module=None, **changes):
    return ScoreNetwork.from_module(module or torch.nn.Identity(), **{"ambient_dim": 3, **changes})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: adapted(predicts="noise"), "predicts = 'noise'"),
        (lambda: adapted(conditioning="snr"), "conditioning = 'snr'"),
        (lambda: adapted(process=3), "process = 3"),
        (lambda: adapted(process=OrnsteinUhlenbeck(), conditioning="timestep"), "must be a DDPM"),
        (lambda: adapted(predicts="v"), "predicts = 'v'"),
        (lambda: adapted(image_shape=(1, 3)), "ambient_dim = 3"),
        (lambda: adapted(ambient_dim=None), "ambient_dim = None"),
        (lambda: adapted(ambient_dim=None, image_shape=(3,)), "image_shape = "),
        (lambda: adapted(torch.nn.Bilinear(3, 1, 2)).score(np.zeros(3), 1.0), None),
        (
            lambda: ScoreNetwork.from_module(Halves(), ambient_dim=4).score(np.zeros(4), 1.0),
            r"module returned \(1, 2\)",
        ),
        (
            lambda: ScoreNetwork.from_module(Silent(), ambient_dim=4).score(np.zeros(4), 1.0),
            "module returned 'NoneType'|NoneType",
        ),
        (
            lambda: adapted(DiffusersLike(lambda e: e), conditioning="timestep").score(np.zeros(3), 1e-5),
            "must be ≥ 0.00010001",
        ),
        (lambda: adapted(Echo(), process=DDPM()).score(np.zeros(3), 1e6), "r = "),
        (lambda: adapted(Echo()).save("anywhere"), "network = 'RowModule'"),
    ],
)
def test_conventions_that_do_not_fit(call, message):
    if message is None:
        with pytest.raises(RuntimeError):  # torch's own error about shapes is passed on
            call()
    else:
        with pytest.raises(ValueError, match=message):
            call()


class Echo(torch.nn.Module):
    def forward(self, x, level):
        return x


class Halves(torch.nn.Module):
    def forward(self, x, level):
        return x[:, :2]


class Silent(torch.nn.Module):
    def forward(self, x, level):
        return None
