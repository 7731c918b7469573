"""EngineerFeatures and the backfill: feature rows of runs and ranges, stored and loaded online."""
