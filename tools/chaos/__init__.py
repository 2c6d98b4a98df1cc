"""The fault matrix: real Kafka, real Redis and real workers are mistreated, and every sum is compared afterwards."""
