"""Admit and CanaryHealthy?: who may start a run, and whether a canary may take over."""
