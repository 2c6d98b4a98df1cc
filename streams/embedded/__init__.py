"""Kafka and Redis without installing either: servers inside Python wheels, for the demo only. Data ends with them."""
