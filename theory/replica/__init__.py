"""Hidden manifolds y = f(W z/√d) by the replica method: Bayes-optimal states, their transitions, mismatched noise.

Start with `equilibrium`; `activation` cuts f into smooth pieces, `output_channel` integrates over one output.
Derivations: docs/hidden_manifold.md.
"""
