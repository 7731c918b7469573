"""EngineerFeatures: the recipes, and the encoders that they put into the pipeline."""
