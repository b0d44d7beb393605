"""Numba's threads: the layer that leaves PyTorch alone, and the lock that this layer needs.

Numba's OpenMP layer, started before `import torch`, makes torch 5-9 times slower.  The workqueue layer does not, but
it aborts when two Python threads enter it at once: take `one_at_a_time` around every call of a parallel function.
"""

import os
import threading
from typing import Any

import numba

_settings: Any = numba.config
if "NUMBA_THREADING_LAYER" not in os.environ and _settings.THREADING_LAYER == "default":
    _settings.THREADING_LAYER = "workqueue"

one_at_a_time = threading.Lock()
