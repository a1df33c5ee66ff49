"""The sink: a target that accepts everything at once, in a separate process."""
