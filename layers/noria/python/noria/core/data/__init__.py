"""The dataset that every stage from Transform on hands to the next, and its texts."""
