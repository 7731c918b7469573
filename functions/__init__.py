"""One module per Lambda function: a thin handler that reads, calls the core and writes."""
