"""The load test: arrivals by the clock, every object's instants, what held the pipeline back and what it costs."""
