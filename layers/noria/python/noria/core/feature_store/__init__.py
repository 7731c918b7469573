"""EngineerFeatures: feature sets, their versions, and the SQL of point-in-time joins."""
