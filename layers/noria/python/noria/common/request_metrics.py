"""The names of the metrics of answered requests, which the endpoint counts and others read."""

VERSION = "FunctionVersion"  # the dimension
REQUESTS = "Requests"
SUCCEEDED, REFUSED, FAILED = "Status2xx", "Status4xx", "Status5xx"
LATENCY, COLD_LATENCY = "Latency", "ColdLatency"  # ms; a sandbox's first request is apart
