"""Around every stage: environment, a stage's inputs and outputs, and how a run ends."""
