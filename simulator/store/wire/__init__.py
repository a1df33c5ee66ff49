"""The wire: bytes to typed requests and back, AWS's errors, and the token buckets that limit rates."""
