"""The measurements of a load test: instants, series, cost, and what holds the pipeline back."""
