"""EngineerFeatures: the feature store on S3, Glue and DynamoDB, written and read."""
