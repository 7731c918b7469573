"""The lifecycle as pure functions, a package per stage: no AWS, no environment, no clock."""
