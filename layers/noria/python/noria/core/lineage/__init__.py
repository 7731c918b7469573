"""Lineage: from a prediction back to the raw data, as a document, a page and a picture."""
