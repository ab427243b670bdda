"""`langchain_rerank` of `dropin-rerank`, where LangChain's integrations are looked for."""

from langchain_rerank import *  # noqa: F403 - whatever is public there is public here
from langchain_rerank import __all__ as __all__
