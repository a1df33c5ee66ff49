"""What every room may import: time, limits, errors, AWS clients and the facts that rooms record."""
