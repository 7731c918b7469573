"""The guides, and what of them is generated: the machine's picture and the contract's fields."""
