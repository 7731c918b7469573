"""Amazon CloudWatch: AWS's own metrics, alarms that are evaluated and act, and log groups."""
