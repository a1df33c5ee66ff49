"""One run of `simulate`: its plan, its scenario or its files, and its summary."""
