"""Tests: noria, functions and infra mirror the packages; local, e2e and bench run whole."""
