"""What every client of a server needs: what a status means, keys, and answers of bounded size."""
