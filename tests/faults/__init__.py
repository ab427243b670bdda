"""Every fault that a ranking may meet, through every face, and what is counted of it.

`cases` says what goes wrong, `faces` how a ranking is asked for, `counted` what must hold.
The tests run the matrix with a short deadline; `benchmarks/faults.py` with a long one, timed.
"""
