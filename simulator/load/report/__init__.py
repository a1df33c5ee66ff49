"""What a load test prints and writes: text, JSON, the page, and comparisons."""
