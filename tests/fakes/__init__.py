"""Fakes that several test files use, typed: mypy checks them against the product's own protocols."""
