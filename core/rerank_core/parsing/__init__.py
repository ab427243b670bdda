"""Read what a model wrote when it was asked to score or to order documents.

Three readers, pure and linear in the length of the reply; none raises on any text:

- `parse_score`: one document, one score;
- `parse_scores`: one score per document, None where the reply has none;
- `parse_permutation`: the documents that the reply names, best first.

They read what a careful person would read, and refuse what a careful person would refuse: a
missing score stays missing. docs/parser.md has the rules.
"""

from .permutation import parse_permutation
from .score import parse_score
from .scores import parse_scores

__all__ = ["parse_permutation", "parse_score", "parse_scores"]
