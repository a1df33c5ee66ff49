"""The store's own figures: what each service counted, and what each answer cost."""
