"""Text as such: its words, what of it a model sees, and what of it is marked."""
