"""The output of a load test: text, JSON, the page and comparisons."""
