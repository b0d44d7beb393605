"""The peers: the same posterior mean by other people's kernels, all in float32 unless said otherwise.

Each function prepares a call without arguments that returns the posterior mean (Q, D).
"""

import os
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .data import Problem

Call = Callable[[], NDArray[np.floating]]

# The two forms of PyTorch's fused attention, of which the faster counts.
FUSED = {
    "mask": ".peers:fused_attention_mask",
    "column": ".peers:fused_attention_column",
}


def _torch_threads() -> None:
    import torch

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))


def fused_attention_mask(**case: object) -> Call:
    """PyTorch's fused attention on queries x/r, keys and values y, with -|y|²/2r as a mask."""
    import torch

    _torch_threads()
    y, x, r = Problem(**case).float32()  # type: ignore[arg-type]
    keys, queries = torch.from_numpy(y), torch.from_numpy(x)
    mask = (-(keys**2).sum(1) / (2 * r)).expand(len(x), len(y))[None, None]
    k, q = keys[None, None], (queries / r)[None, None]
    attention = torch.nn.functional.scaled_dot_product_attention
    return lambda: attention(q, k, k, attn_mask=mask, scale=1.0)[0, 0].numpy()


def fused_attention_column(**case: object) -> Call:
    """The same with -|y|²/2r as one more column of the keys, the values padded to their width."""
    import torch

    _torch_threads()
    y, x, r = Problem(**case).float32()  # type: ignore[arg-type]
    keys, queries = torch.from_numpy(y), torch.from_numpy(x)
    bias = -(keys**2).sum(1) / (2 * r)
    k = torch.cat([keys, bias[:, None]], 1)[None, None]
    v = torch.cat([keys, torch.zeros(len(y), 1)], 1)[None, None]
    q = torch.cat([queries / r, torch.ones(len(x), 1)], 1)[None, None]
    attention = torch.nn.functional.scaled_dot_product_attention
    return lambda: attention(q, k, v, scale=1.0)[0, 0, :, : y.shape[1]].numpy()


def addmm_softmax(**case: object) -> Call:
    """PyTorch: matrix product, softmax, matrix product; all N × Q weights in memory."""
    import torch

    _torch_threads()
    y, x, r = Problem(**case).float32()  # type: ignore[arg-type]
    keys, queries = torch.from_numpy(y), torch.from_numpy(x)
    bias = -(keys**2).sum(1) / (2 * r)
    return lambda: (torch.softmax(torch.addmm(bias, queries, keys.T, alpha=1 / r), dim=1) @ keys).numpy()


def chunked_distances(**case: object) -> Call:
    """scikit-learn's chunked pairwise distances, softmax by NumPy, a chunk of queries at a time."""
    from sklearn.metrics import pairwise_distances_chunked

    y, x, r = Problem(**case).float32()  # type: ignore[arg-type]

    def mean_of(squares: NDArray[np.floating], _: int) -> NDArray[np.floating]:
        weights = np.exp((squares.min(axis=1, keepdims=True) - squares) / (2 * r))
        return weights @ y / weights.sum(axis=1, keepdims=True)

    return lambda: np.concatenate(
        list(pairwise_distances_chunked(x, y, reduce_func=mean_of, metric="sqeuclidean", working_memory=256))
    )


def broadcast(**case: object) -> Call:
    """What notebooks do: differences of all pairs by broadcasting, a few queries at a time to fit the memory."""
    y, x, r = Problem(**case).float32()  # type: ignore[arg-type]
    together = max(1, 2**26 // y.size)

    def run() -> NDArray[np.floating]:
        means = []
        for start in range(0, len(x), together):
            squares = ((x[start : start + together, None] - y) ** 2).sum(-1)
            weights = np.exp((squares.min(axis=1, keepdims=True) - squares) / (2 * r))
            means.append(weights @ y / weights.sum(axis=1, keepdims=True))
        return np.concatenate(means)

    return run
