"""Downloads over HTTP from public addresses only, within a deadline."""
