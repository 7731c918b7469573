"""What the endpoint does with a request: parse it, score it, and record what it answered."""
