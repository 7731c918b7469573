"""Transform: sources are joined, rows accepted or quarantined, and the dataset is built."""
