"""Integrals and roots that several rooms need: averages over spheres and classes, curves in ln r and their levels."""
