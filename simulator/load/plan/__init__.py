"""What is asked of a load test: arrivals, objects, thresholds, the search for capacity. Pure."""
