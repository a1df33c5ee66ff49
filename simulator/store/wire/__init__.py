"""The wire: bytes to typed requests and back, and the buckets that bound their rate."""
