"""The sending side of a load test: the generator's processes, and what they sign and put."""
