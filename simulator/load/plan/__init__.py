"""The plan of a load test: arrivals, objects, thresholds, the capacity search. Pure."""
