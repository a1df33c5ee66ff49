"""The load test: it sends by the clock, times every object, finds what holds the pipeline back and adds up the cost."""
