"""What stands in for a real part in more than one test file: typed, held to the product's own protocols by mypy."""
