"""The read API, the event stream, the live page and the business gauges of `serve`."""
