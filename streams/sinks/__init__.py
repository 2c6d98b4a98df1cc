"""Where records go out: to Kafka, or into a list for whoever wants to look at them."""
