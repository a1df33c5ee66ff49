"""The store's own figures: what each service counted, what each second held."""
