"""The sink: a target that accepts at once, in a process of its own."""
