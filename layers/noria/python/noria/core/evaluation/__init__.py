"""EvaluateModel: the model against objective, baselines, slices and champion, and its errors."""
