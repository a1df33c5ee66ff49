"""SQS: its messages, its rules, and the requests that are answered without moto."""
