"""The commands: each reads its options, calls the room that does the work, and prints the result."""
