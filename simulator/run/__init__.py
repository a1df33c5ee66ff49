"""One run of `simulate`: its plan, its scenario or its files, its summary, and what to do next."""
