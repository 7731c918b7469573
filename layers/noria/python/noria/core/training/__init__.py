"""ExploreModels and TrainModel: candidates searched, the winner fitted and exported to ONNX."""
