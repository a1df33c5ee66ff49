"""The moto server process, with AWS's rules in front of it, and its counters."""
