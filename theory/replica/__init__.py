"""Hidden manifolds y = f(W z/√d) by the replica method, d → ∞.

Start with `equilibrium`: `ReplicaTheory(activation, α)` has the Bayes-optimal states at a noise ratio. `transitions`
finds where two of them coexist, `mismatched` gives G(r, s) at another noise, `feature_moments` the covariance of the
data. Below them, `activation` cuts f into monotone branches and `output_channel` integrates over one output.
Derivations: docs/hidden_manifold.md.
"""
