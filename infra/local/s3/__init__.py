"""Amazon S3: what lifecycle rules of buckets delete at an instant."""
