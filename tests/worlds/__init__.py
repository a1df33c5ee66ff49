"""Worlds to compare: the same seeds again, in another process with other hashes."""
