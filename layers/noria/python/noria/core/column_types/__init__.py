"""Transform: texts become numbers, times, booleans and categories, as declared or inferred."""
