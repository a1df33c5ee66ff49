"""Many worlds with faults: what each is, how it is judged, and how one that fails is shrunk and told."""
