"""The CDK app, the local cloud and the command line."""
