"""Bugs to plant, one at a time, that worlds with faults must find."""
