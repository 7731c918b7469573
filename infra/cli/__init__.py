"""`noria`: what people do with a problem, on AWS or locally; a module a command group."""
