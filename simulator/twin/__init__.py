"""The twin: a store with the template's resources, its functions and its triggers, under one owner."""
