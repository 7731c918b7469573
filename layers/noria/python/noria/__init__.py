"""Noria: the whole machine-learning lifecycle as one state machine."""
