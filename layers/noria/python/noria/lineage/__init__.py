"""Lineage: what a stack recorded of a prediction or a model, traced and checked."""
