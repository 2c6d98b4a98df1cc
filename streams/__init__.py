"""The world: the only package that touches Kafka, Redis, HTTP, clocks and logs."""
