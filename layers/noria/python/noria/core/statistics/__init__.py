"""Metrics, intervals, tests and drift, as Analyse, EvaluateModel and the monitor use them."""
