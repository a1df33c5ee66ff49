"""The proof: every object and every item, read from where they are stored and compared cell by cell."""
