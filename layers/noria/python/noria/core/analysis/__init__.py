"""Analyse: what goes with the target, what is missing, what moves, and what gives it away."""
