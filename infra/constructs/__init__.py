"""CDK constructs, one capability of the stack each."""
