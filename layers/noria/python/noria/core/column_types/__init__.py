"""Transform: texts become numbers, times, truths and categories, as declared or inferred."""
