"""One run of `simulate`: its plan, its scenario or source files, its summary and the advice that follows."""
