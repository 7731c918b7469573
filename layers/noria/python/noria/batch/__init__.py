"""Files of rows, answered as the endpoint answers requests."""
