"""A place where a submission's code can do no harm."""
