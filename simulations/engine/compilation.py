"""How the functions of the engine are compiled: options of `njit`.

Numba's cache keys a function by the file that it stands in: after a change here, or in a compiled function that
another file calls, delete the `__pycache__` folders of simulations/engine.
"""

import os
from typing import Any

OVERRIDE = "REMANIFOLD_LANES"  # environment variable: lanes to try instead of the processor's, see `vectors.lanes`

compiled: dict[str, Any] = {"cache": True, "error_model": "numpy", "nogil": True}
# a product and a sum may be rounded once
contracted: dict[str, Any] = {**compiled, "fastmath": {"contract"}}
# terms of a sum may also be added in the order that suits vectors
reordered: dict[str, Any] = {**compiled, "fastmath": {"contract", "reassoc"}}
# for functions that call instructions, or others that do: what is compiled for other lanes must not be found again
with_lanes: dict[str, Any] = {**compiled, "cache": OVERRIDE not in os.environ}
