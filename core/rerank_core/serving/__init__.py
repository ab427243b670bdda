"""A reranker behind HTTP, in the shapes that rerank clients already speak."""
