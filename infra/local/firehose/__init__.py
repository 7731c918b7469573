"""Amazon Data Firehose: delivery streams write under the prefixes that AWS would make."""
