"""Monitor: what was predicted, which outcomes came, and what both say of drift and quality."""
