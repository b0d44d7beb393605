"""The U-Net: shapes, order of the pixels, noise levels, derivatives, and what it learns."""

import numpy as np
import pytest
import torch
from scipy.integrate import quad

from remanifold.models.networks.image_rows import images_to_rows, rows_to_images
from remanifold.models.networks.unet import Attention, UNet
from remanifold.models.networks.unet_config import UNetConfig
from remanifold.models.score_network import ScoreNetwork
from remanifold.models.training.config import TrainingConfig
from remanifold.models.training.train import train

CONFIGS = [
    UNetConfig((8, 8), width=4),
    UNetConfig((8, 12, 3), width=4, multipliers=(1, 2, 2), blocks=2, attention=(8, 2)),
    UNetConfig((5, 7), width=3, multipliers=(2,), attention=(5,)),
    UNetConfig((8, 8, 2), width=32, multipliers=(1, 2), attention=(4,)),
]


def random_unet(config):
    """A U-Net whose last layer does not vanish."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        network = UNet(config)
        torch.nn.init.normal_(network.leave.weight, std=0.3)
        return network


@pytest.mark.parametrize("config", CONFIGS)
def test_rows_are_treated_independently_and_told_their_noise(config, rng):
    network = random_unet(config).double()
    x, log_sigma = torch.from_numpy(rng.standard_normal((3, config.dim))), torch.tensor([-2.0, 0.0, 1.0]).double()
    with torch.no_grad():
        together = network(x, log_sigma)
        assert together.shape == x.shape
        one = torch.cat([network(x[i : i + 1], log_sigma[i : i + 1]) for i in range(3)])
        other = network(x, log_sigma.flip(0))
    torch.testing.assert_close(together, one, rtol=1e-10, atol=1e-10)
    assert not torch.allclose(other[0], together[0], rtol=1e-3)
    assert UNet(config)(x.float(), log_sigma.float()).abs().max() == 0  # untrained: the linear denoiser


def test_pixels_are_flattened_channels_last(rng):
    images = rng.standard_normal((2, 4, 6, 3))  # as an ImageSet has them
    rows = torch.from_numpy(images.reshape(2, -1))
    np.testing.assert_array_equal(rows_to_images(rows, (4, 6, 3)).numpy(), images.transpose(0, 3, 1, 2))
    np.testing.assert_array_equal(images_to_rows(rows_to_images(rows, (4, 6, 3))).numpy(), rows.numpy())
    assert rows_to_images(rows, (4, 18)).shape == (2, 1, 4, 18)


def test_attention_is_blind_to_where_pixels_are(rng):
    """Permuting the pixels permutes the output, for one head and for several; and every pixel sees every other."""
    for width, heads in ((8, 1), (64, 2)):
        attention = Attention(width).double()
        assert attention.heads == heads
        image = torch.from_numpy(rng.standard_normal((1, width, 3, 3)))
        order = torch.from_numpy(rng.permutation(9))
        moved = image.reshape(1, width, 9)[:, :, order].reshape(image.shape)
        with torch.no_grad():
            torch.testing.assert_close(
                attention(moved), attention(image).reshape(1, width, 9)[:, :, order].reshape(image.shape)
            )
            changed = image.clone()
            changed[0, :, 0, 0] += 1
            assert ((attention(changed) - attention(image)).abs().amax(1) > 1e-9).all()


@pytest.mark.parametrize("config", [UNetConfig((4, 4, 2), width=4, attention=(2,))])
def test_jacobian_and_its_products_are_derivatives_of_the_score(config, rng):
    score = ScoreNetwork(random_unet(config), config.dim, 0.8)
    x, r, step = rng.standard_normal((2, config.dim)), np.array([0.2, 1.5]), 1e-5
    slopes = [(score.score(x + e, r) - score.score(x - e, r)) / (2 * step) for e in step * np.eye(config.dim)]
    jacobian = np.stack(slopes, -1)
    covariance = r[:, None, None] * (np.eye(config.dim) + r[:, None, None] * jacobian)
    np.testing.assert_allclose(score.posterior_covariance(x, r), covariance, atol=3e-6)
    v = rng.standard_normal(x.shape)
    np.testing.assert_allclose(score.jacobian_product(x, r, v), np.einsum("nij,nj->ni", jacobian, v), atol=3e-5)
    pulled = np.einsum("nji,nj->ni", jacobian, v)
    np.testing.assert_allclose(score.jacobian_product(x, r, v, transpose=True), pulled, atol=3e-5)


def test_trace_by_probes_is_unbiased_and_exact_with_all_of_them(rng):
    score = ScoreNetwork(random_unet(UNetConfig((4, 4), width=4)), 16, 0.8)
    points = rng.standard_normal((40, 16))
    exact = score.dimension(0.5, np.random.default_rng(1), points=points)
    complete = score.dimension(0.5, np.random.default_rng(1), points=points, probes=16)
    np.testing.assert_allclose(complete, exact, rtol=1e-10)
    few = score.dimension(0.5, np.random.default_rng(1), points=points, probes=2)
    assert few.stderr > exact.stderr
    assert abs(few.mean - exact.mean) < 4 * few.stderr
    for probes in (0, 17):
        with pytest.raises(ValueError, match=f"probes = {probes}"):
            score.dimension(0.5, rng, points=points, probes=probes)


def test_generalizes_on_images_of_independent_spins(rng):
    """Pixels ±1: far below the collapse of 2000 such images the U-Net has the dimension of their law, D E sech²(x/r)/r.

    I(1) = 64 × 0.49 nats against ln 2000 = 7.6: the empirical score sits on single images there, d(r) ≈ 0.
    """
    data = rng.choice([-1.0, 1.0], size=(2000, 64))
    config = TrainingConfig(
        unet=UNetConfig((8, 8), width=8),
        steps=150,
        batch_size=32,
        learning_rate=4e-3,
        warmup=20,
        ema=0.97,
        sigma_min=0.3,
        sigma_max=3.0,
    )
    network = train(data, config, progress=False)

    def density(z, r):
        return np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) / np.cosh((1 + np.sqrt(r) * z) / r) ** 2 / r

    r = np.array([1.0, 3.0])
    exact = [64 * quad(density, -10, 10, args=(ratio,))[0] for ratio in r]
    measured = network.dimension(r, rng, points=rng.choice([-1.0, 1.0], size=(6, 64)))
    np.testing.assert_allclose(measured.mean, exact, rtol=0.1)


@pytest.mark.parametrize("predicts", ["v", "eps"])
def test_saved_unet_comes_back(tmp_path, rng, predicts):
    config = CONFIGS[1]
    score = ScoreNetwork(random_unet(config), config.dim, 0.8, predicts=predicts)
    score.save(tmp_path)
    x = rng.standard_normal((2, config.dim))
    np.testing.assert_array_equal(ScoreNetwork.load(tmp_path).score(x, 0.3), score.score(x, 0.3))


def test_points_of_another_size_are_refused(rng):
    with pytest.raises(ValueError, match="must have 63 values"):
        train(rng.standard_normal((5, 63)), TrainingConfig.quick_images((8, 8)), progress=False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image_shape": (8,)}, "image_shape = "),
        ({"image_shape": 64}, "image_shape = 64"),
        ({"image_shape": (28, 28), "multipliers": (1, 2, 2, 2)}, "multiples of 8 for 4 levels"),
        ({"image_shape": (8, 0)}, "image_shape = 0"),
        ({"image_shape": (8, 8), "width": 0}, "width = 0"),
        ({"image_shape": (8, 8), "blocks": 1.5}, "blocks = 1.5"),
        ({"image_shape": (8, 8), "multipliers": ()}, "multipliers = "),
        ({"image_shape": (8, 8), "attention": (16,)}, r"attention = \(16,\)"),
    ],
)
def test_bad_sizes(arguments, message):
    with pytest.raises(ValueError, match=message):
        UNetConfig(**arguments)
