"""Lambda's data plane: execution environments, invocations, logs, and the runtimes that run handlers."""
