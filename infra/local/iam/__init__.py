"""AWS IAM and STS: who a caller is, and whether a function's role allows what it asks for."""
