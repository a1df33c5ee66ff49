"""S3: its keys, its rules, its notifications, and the requests that are answered without moto."""
