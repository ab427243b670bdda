"""`python -m docs_site`: build the site, strictly, into site/."""

from .build import build

if __name__ == "__main__":
    build()
