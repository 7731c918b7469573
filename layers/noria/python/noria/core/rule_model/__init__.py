"""RuleSuffices: the contract's rule compiled to ONNX, so that it is served like any model."""
