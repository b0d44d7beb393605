from benchmarks.long_double import Reference, posterior  # noqa: F401
