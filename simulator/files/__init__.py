"""Real files: which ones a command line names, whether the consumer would read them, and what they hold."""
