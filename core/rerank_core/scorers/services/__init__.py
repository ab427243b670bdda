"""Rerank services: Cohere's SDK, and any server that speaks a rerank API."""
