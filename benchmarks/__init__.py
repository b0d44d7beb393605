"""Timings and accuracies side by side with named peers: one file per claim, run by `remanifold bench`.

A benchmark is a module with `rows(quick)`, an iterator of dictionaries (the cells of one line, in order), whose
docstring says what is compared.  Every method lives in a process of its own, calls alternate, and a ratio is the
median over paired calls.  Figures belong to the machine they were taken on: docs/benchmarks.md names it.
"""
