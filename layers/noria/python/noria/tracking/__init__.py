"""Trials and models, sent to an MLflow tracking server."""
