"""What AWS does around the handlers: triggers, queues, execution environments, and the proof at the end.

Knows functions, triggers and resources, not stocks.
"""
