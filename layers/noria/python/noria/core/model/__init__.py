"""ScoreHoldout and the endpoint: a model's signature, requests made ready for it, its answers."""
