"""`llamaindex_rerank` of `dropin-rerank`, where LlamaIndex' integrations are looked for."""

from llamaindex_rerank import *  # noqa: F403 - whatever is public there is public here
from llamaindex_rerank import __all__ as __all__
