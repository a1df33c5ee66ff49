"""What invokes a function: event source mappings and EventBridge, each a pure core beside its async shell."""
