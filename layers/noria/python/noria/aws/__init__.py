"""Narrow facades, one per AWS service, holding only the calls that Noria uses."""
