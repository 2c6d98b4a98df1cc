"""Verbs: pure decisions over models."""
