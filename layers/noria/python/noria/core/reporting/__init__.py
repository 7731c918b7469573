"""The HTML report of a run and the model card, with their charts."""
