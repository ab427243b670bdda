"""How rerank servers differ, as data: one row for each.

From the vendors' references, 2026-11. What all have in common (a query, a list, an index and a
score) and what they answer is `rerank_api` and `replies`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import Any, Literal

#: What a server's scores are: 0..1, -1..1, log-odds, or five times log-odds.
ScoreScale = Literal["unit", "cosine", "logit", "logit/5"]


def _before_the_query(instruction: str, query: str) -> str:
    return f"{instruction}\nQuery: {query}"


def _plain(at: int, text: str) -> object:
    return text


def _in_text(at: int, text: str) -> object:
    return {"text": text}


def _query_in_text(query: str) -> object:
    return {"text": query}


def _query_of_bedrock(query: str) -> object:
    return [{"type": "TEXT", "textQuery": {"text": query}}]


def _source_of_bedrock(at: int, text: str) -> object:
    inline = {"type": "TEXT", "textDocument": {"text": text}}
    return {"type": "INLINE", "inlineDocumentSource": inline}


def _record_of_vertex(at: int, text: str) -> object:
    return {"id": str(at), "content": text}


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """What one server takes."""

    name: str
    #: Where a vendor's own service is: by the end of the host's name, "*" for one part of it.
    hosts: tuple[str, ...] = ()
    #: The path where the URL has none.
    path: str = "/v1/rerank"
    #: Where its key is in the environment, and whether it must be.
    key_variables: tuple[str, ...] = ("RERANK_API_KEY",)
    needs_key: bool = False
    #: A model to name where the server insists on one; None: it may be left out.
    model_example: str | None = None
    #: Where query, texts and model stand in the request ("input.query": in an object), and what a
    #: query, and a text at its position, look like there.
    query: str = "query"
    documents: str = "documents"
    model: str = "model"
    as_query: Callable[[str], object] = str
    as_document: Callable[[int, str], object] = _plain
    #: The field for how many results to return. It is sent, as some return ten unless told.
    top: str | None = "top_n"
    #: Fields, parameters of the URL and headers that are always sent.
    fields: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    #: The header with the key, and what stands before it there.
    key_header: str = "authorization"
    key_prefix: str = "Bearer "
    #: Where an instruction stands, if its documentation says: in a field of the request, or in the
    #: query, as this puts them together; and the models that follow one ("*" for any part).
    instruction: str | None = None
    instructed: Callable[[str, str], str] | None = None
    instruction_models: tuple[str, ...] = ("*",)
    #: The most texts it takes at once; None: none stated.
    cap: int | None = None
    #: What its scores are: promised, or None (depends on the model it runs).
    scale: ScoreScale | None = "unit"
    #: Whether each call is billed, whatever it holds: none is made that is not needed.
    billed: bool = False


_ROWS = (
    Provider(name="common", scale=None),
    Provider(
        name="cohere",
        billed=True,
        hosts=("api.cohere.com", "api.cohere.ai"),
        path="/v2/rerank",
        key_variables=("CO_API_KEY", "COHERE_API_KEY"),
        needs_key=True,
        model_example="rerank-v5.0-fast",
        cap=1000,
    ),
    Provider(
        name="jina",
        hosts=("api.jina.ai",),
        key_variables=("JINA_API_KEY", "JINAAI_API_KEY"),  # the latter is LlamaIndex'
        needs_key=True,
        model_example="jina-reranker-v3.5",
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
        billed=True,  # by whatever stands behind it
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
        fields={"return_documents": False, "truncation": True},
        # in natural language, together with the query: https://docs.voyageai.com/docs/reranker
        # and MongoDB's announcement of rerank-2.5 (August 2025), 2026-11
        instructed=_before_the_query,
        instruction_models=("rerank-2.5*", "rerank-[3-9]*"),
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
        billed=True,
        hosts=("api.pinecone.io",),
        path="/rerank",
        key_variables=("PINECONE_API_KEY",),
        needs_key=True,
        model_example="bge-reranker-v2-m3",
        as_document=_in_text,
        fields={"return_documents": False},
        headers={"x-pinecone-api-version": "2026-07"},
        key_header="api-key",
        key_prefix="",
        cap=100,
    ),
    # https://docs.nvidia.com/nim/nemo-retriever/text-reranking/latest/using-reranking.html
    # 2026-11; hosted models have a path each, which the URL then holds
    Provider(
        name="nvidia",
        hosts=("ai.api.nvidia.com", "integrate.api.nvidia.com"),
        path="/v1/ranking",
        key_variables=("NVIDIA_API_KEY", "NGC_API_KEY"),
        model_example="nvidia/llama-3.2-nv-rerankqa-1b-v2",
        documents="passages",
        as_query=_query_in_text,
        as_document=_in_text,
        top=None,
        fields={"truncate": "END"},
        scale="logit",
    ),
    # https://www.alibabacloud.com/help/en/model-studio/text-rerank-api, 2026-11
    Provider(
        name="dashscope",
        hosts=("dashscope.aliyuncs.com", "dashscope-intl.aliyuncs.com"),
        path="/api/v1/services/rerank/text-rerank/text-rerank",
        key_variables=("DASHSCOPE_API_KEY",),
        needs_key=True,
        model_example="qwen3-rerank",
        query="input.query",
        documents="input.documents",
        top="parameters.top_n",
        fields={"parameters.return_documents": False},
        instruction="parameters.instruct",
        instruction_models=("qwen3*",),
        cap=500,
    ),
    # https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_Rerank.html, 2026-11
    # With an API key of Bedrock's; to sign a request instead, http_client= with an auth of its own.
    Provider(
        name="bedrock",
        billed=True,
        hosts=("bedrock-agent-runtime.*.amazonaws.com",),
        path="/rerank",
        key_variables=("AWS_BEARER_TOKEN_BEDROCK",),
        model_example="arn:aws:bedrock:us-west-2::foundation-model/cohere.rerank-v3-5:0",
        query="queries",
        documents="sources",
        model="rerankingConfiguration.bedrockRerankingConfiguration.modelConfiguration.modelArn",
        as_query=_query_of_bedrock,
        as_document=_source_of_bedrock,
        top="rerankingConfiguration.bedrockRerankingConfiguration.numberOfResults",
        fields={"rerankingConfiguration.type": "BEDROCK_RERANKING_MODEL"},
        cap=1000,
    ),
    # https://cloud.google.com/generative-ai-app-builder/docs/reference/rest/v1/
    # projects.locations.rankingConfigs/rank, 2026-11; the URL holds the project, and ends in :rank
    Provider(
        name="vertex",
        billed=True,
        hosts=("discoveryengine.googleapis.com",),
        key_variables=("CLOUDSDK_AUTH_ACCESS_TOKEN",),
        documents="records",
        as_document=_record_of_vertex,
        top="topN",
        fields={"ignoreRecordDetailsInResponse": True},
        cap=200,
    ),
    # https://cloud.ibm.com/apidocs/watsonx-ai#text-rerank, 2026-11; the project, and where wanted
    # parameters.truncate_input_tokens, in options=; scores are the model's own
    Provider(
        name="watsonx",
        hosts=("ml.cloud.ibm.com",),
        path="/ml/v1/text/rerank",
        key_variables=("WATSONX_TOKEN",),
        model_example="cross-encoder/ms-marco-minilm-l-12-v2",
        documents="inputs",
        model="model_id",
        as_document=_in_text,
        top="parameters.return_options.top_n",
        parameters={"version": "2024-10-18"},
        scale=None,
    ),
)

#: By name.
PROVIDERS: Mapping[str, Provider] = {row.name: row for row in _ROWS}

#: Models that look at all documents of a request at once, so that a score depends on the others.
LISTWISE_MODELS = ("jina-reranker-v3",)


def provider_at(host: str) -> Provider:
    """The vendor whose service that host is; "common" where it is nobody's."""
    for row in PROVIDERS.values():
        if any(fnmatch(host, known) or fnmatch(host, "*." + known) for known in row.hosts):
            return row
    return PROVIDERS["common"]
