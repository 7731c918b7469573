"""EngineerFeatures: time-window aggregations per entity, the same in training and in a request."""
