"""Read what a model wrote when it was asked to score or to order documents.

Three readers, pure and linear in the length of the reply; none raises on any text:

- `parse_score`: one document, one score;
- `parse_scores`: one score per document, None where the reply has none;
- `parse_permutation`: the documents that the reply names, best first.

`read_score`, `read_scores` and `read_permutation` give the same as a `Reading`, with the name of
the rule that read it: for the doctor, for counts, for tests.

They read what a careful person would read, and refuse what a careful person would refuse: a
missing score stays missing. docs/parser.md has the rules.
"""

from .permutation import parse_permutation
from .permutation import read_permutation as read_permutation
from .reading import Reading as Reading
from .score import parse_score
from .score import read_score as read_score
from .scores import parse_scores
from .scores import read_scores as read_scores

__all__ = ["parse_permutation", "parse_score", "parse_scores"]
