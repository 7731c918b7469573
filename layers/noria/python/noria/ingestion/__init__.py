"""CollectSources: rows come from S3, the web, Google Sheets and databases, with provenance."""
