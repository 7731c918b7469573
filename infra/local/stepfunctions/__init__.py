"""AWS Step Functions: moto's interpreter, mended where AWS differs, and followed as it runs."""
