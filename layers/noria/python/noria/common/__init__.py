"""What every stage uses: sentences, times, categories, the closed grammar, verdicts."""
