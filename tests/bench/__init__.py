"""Benchmarks: ratios measured on one machine in one run, for absolute times say little."""
