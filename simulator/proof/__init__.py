"""The proof: every object and every item, read from where they lie and compared cell by cell."""
