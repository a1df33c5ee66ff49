"""What real files are like: which ones a command line names, whether the consumer would read them, what they hold."""
