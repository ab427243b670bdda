"""The site: the pages of docs/, and those that are made from the source. `make docs` builds it."""
