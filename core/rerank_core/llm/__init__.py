"""What an LLM is asked, and how its answers become scores."""
