"""DynamoDB: its rows, its capacity, and the requests that are answered without moto."""
