"""Fakes that more than one test file uses: typed, and checked by mypy against the product's own protocols."""
