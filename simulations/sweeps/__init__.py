"""Parameter sweeps that can be interrupted, extended and shared out.

Start with `sweep`; `grid` is what is measured, `store` where it is kept, `workers` who measures. Guide: docs/sweeps.md.
"""
