"""What any scorer may lean on: the background loop, threads, deadlines, retries, the bill."""
