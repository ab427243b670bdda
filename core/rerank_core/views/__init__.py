"""What people look at: a ranking in a notebook, an evaluation in a browser."""
