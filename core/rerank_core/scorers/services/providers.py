"""How rerank servers differ, as data: one row for each.

From the vendors' references, 2026-11. What all have in common (a query, a list, an index and a
score) and what they answer is `rerank_api` and `replies`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

#: What a server's scores are: 0..1, -1..1, log-odds, or five times log-odds.
ScoreScale = Literal["unit", "cosine", "logit", "logit/5"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """What one server takes."""

    name: str
    #: Where a vendor's own service is: by the end of the host's name.
    hosts: tuple[str, ...] = ()
    #: The path where the URL has none.
    path: str = "/v1/rerank"
    #: Where its key is in the environment, and whether it must be.
    key_variables: tuple[str, ...] = ("RERANK_API_KEY",)
    needs_key: bool = False
    #: A model to name where the server insists on one; None: it may be left out.
    model_example: str | None = None
    #: The field with the texts, and whether each is wrapped as {"text": …}.
    documents: str = "documents"
    wrapped: bool = False
    #: The field for how many results to return. It is sent, as some return ten unless told.
    top: str | None = "top_n"
    #: Fields and headers that are always sent.
    fields: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    #: The header with the key, and what stands before it there.
    key_header: str = "authorization"
    key_prefix: str = "Bearer "
    #: The most texts it takes at once; None: none stated.
    cap: int | None = None
    #: What its scores are: promised, or None (depends on the model it runs).
    scale: ScoreScale | None = "unit"


_ROWS = (
    Provider(name="common", scale=None),
    Provider(
        name="cohere",
        hosts=("api.cohere.com", "api.cohere.ai"),
        path="/v2/rerank",
        key_variables=("CO_API_KEY", "COHERE_API_KEY"),
        needs_key=True,
        model_example="rerank-v3.5",
        cap=1000,
    ),
    Provider(
        name="jina",
        hosts=("api.jina.ai",),
        key_variables=("JINA_API_KEY",),
        needs_key=True,
        model_example="jina-reranker-v2-base-multilingual",
        fields={"return_documents": False},
        scale=None,  # its v3 answers cosines, which may be negative
    ),
    Provider(name="vllm", key_variables=("VLLM_API_KEY",), scale=None),
    Provider(
        name="tei",
        path="/rerank",
        key_variables=("TEI_API_KEY",),
        documents="texts",
        top=None,
        fields={"raw_scores": False, "truncate": True},
        cap=32,
    ),
    Provider(name="infinity", path="/rerank", key_variables=("INFINITY_API_KEY",), cap=2048),
    # logits for BERT models, probabilities for Qwen3's rerankers
    Provider(name="llamacpp", key_variables=("LLAMA_API_KEY",), scale=None),
    Provider(
        name="litellm",
        key_variables=("LITELLM_API_KEY", "LITELLM_PROXY_API_KEY"),
        model_example="the name in the proxy's model_list",
        scale=None,
    ),
    Provider(
        name="voyage",
        hosts=("api.voyageai.com",),
        key_variables=("VOYAGE_API_KEY",),
        needs_key=True,
        model_example="rerank-2.5",
        top="top_k",
        cap=1000,
    ),
    Provider(
        name="mixedbread",
        hosts=("api.mixedbread.com", "api.mixedbread.ai"),
        path="/v1/reranking",
        key_variables=("MXBAI_API_KEY", "MIXEDBREAD_API_KEY"),
        needs_key=True,
        model_example="mixedbread-ai/mxbai-rerank-large-v2",
        documents="input",
        top="top_k",
    ),
    Provider(
        name="together",
        hosts=("api.together.xyz", "api.together.ai"),
        key_variables=("TOGETHER_API_KEY",),
        needs_key=True,
        model_example="mixedbread-ai/Mxbai-Rerank-Large-V2",
    ),
    Provider(
        name="pinecone",
        hosts=("api.pinecone.io",),
        path="/rerank",
        key_variables=("PINECONE_API_KEY",),
        needs_key=True,
        model_example="bge-reranker-v2-m3",
        wrapped=True,
        fields={"return_documents": False},
        headers={"x-pinecone-api-version": "2026-07"},
        key_header="api-key",
        key_prefix="",
        cap=100,
    ),
)

#: By name.
PROVIDERS: Mapping[str, Provider] = {row.name: row for row in _ROWS}

#: Models that look at all documents of a request at once, so that a score depends on the others.
LISTWISE_MODELS = ("jina-reranker-v3",)


def provider_at(host: str) -> Provider:
    """The vendor whose service that host is; "common" where it is nobody's."""
    for row in PROVIDERS.values():
        if any(host == known or host.endswith("." + known) for known in row.hosts):
            return row
    return PROVIDERS["common"]
