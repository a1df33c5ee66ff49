"""The stack: the template read, resolved and checked, as typed values."""
