"""Integrals and roots that several rooms need.

Averages over the posterior of one law: `sphere`, `angular_gaussian` (normalized linear data), `class_channel` (classes
of one spread), `radial_nodes` (Gaussian vectors through their lengths). Curves in ln r: `first_crossing` finds one
level, `smooth_curve` any number of them. Start with `first_crossing`: every critical ratio goes through it.
"""
