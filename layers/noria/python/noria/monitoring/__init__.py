"""Monitor: a tick reads the logged predictions, joins labels and publishes what it sees."""
