"""What the commands of `noria` are made of."""
