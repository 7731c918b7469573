"""Pure stages: data in, data out; no AWS, no environment, no clock."""
