"""Amazon API Gateway: HTTP APIs on a loopback port, with IAM authentication and payload 2.0."""
