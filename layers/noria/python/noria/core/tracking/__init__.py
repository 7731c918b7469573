"""What a run tried and trained, as MLflow has it."""
