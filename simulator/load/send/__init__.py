"""The sending side of a load test: the generator's process, and the requests that it signs and sends."""
