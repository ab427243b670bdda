"""From no judgements to qrels: pairs of query and document, graded by a language model."""
