"""The messages that are met most, each with its cause and what to do, written by hand.

A test holds that each is a message of the source, and that what it looks like is one.
"""

from __future__ import annotations

from typing import NamedTuple


class Common(NamedTuple):
    """A message as `messages.found` lists it, one as it is met, and a sentence or two."""

    text: str
    met: str
    remedy: str


ERRORS = (
    Common(
        "no key for …: set … in the environment, or pass …= "
        "(a server that asks for none takes any value)",
        "no key for OpenAI: set OPENAI_API_KEY in the environment, or pass api_key= "
        "(a server that asks for none takes any value)",
        "A model behind an API was named and no key is there. Export the variable that the message "
        "names, in the shell or the service that starts the program; or begin with the scorer "
        "`hybrid`, which needs none. In LlamaIndex, check whether a model was meant at all: "
        "`LLMReranker` asks a model of OpenAI unless `llm=` says which.",
    ),
    Common(
        "cannot load …: the hub cannot be reached and it is not in the local cache: fetch it once "
        "while online (`hf download …`), or pass the path of a local folder",
        "cannot load 'BAAI/bge-reranker-base': the hub cannot be reached and it is not in the "
        "local cache: fetch it once while online (`hf download BAAI/bge-reranker-base`), or pass "
        "the path of a local folder",
        "A local model is downloaded the first time it is used, and there is no network, or a "
        "proxy between. Download it where there is one and give the folder: "
        "[without a network](../how-to/air-gapped.md), [behind a proxy](../how-to/proxy.md).",
    ),
    Common(
        "cannot load …: no such model on the hub: check its name and revision; "
        "a private one needs HF_TOKEN",
        "cannot load 'BAAI/bge-reranker-bse': no such model on the hub: check its name and "
        "revision; a private one needs HF_TOKEN",
        "The name is mistyped, or the model is private. Copy it from the model's page, "
        "organisation and all, and set `HF_TOKEN` if you had to be invited.",
    ),
    Common(
        "there is no folder …: name one, or a model on the hub",
        "there is no folder ./models/reranker: name one, or a model on the hub",
        "The name looks like a path, so no hub was asked. A relative path begins where the "
        "program was started: give the whole path.",
    ),
    Common(
        "unknown option …: did you mean …? Options: …",
        "unknown option 'top_k': did you mean top_n? Options: cache, check, combine, depth, …",
        "The name is another library's, or mistyped. Take the one that the message offers; "
        "[options](../reference/options.md) says what each is for.",
    ),
    Common(
        "unknown option …. Options: …",
        "unknown option 'temperature'. Options: cache, check, combine, depth, …",
        "No option is called nearly so. What the scorer takes goes into the scorer, as in "
        "`Reranker(LLMScorer(…, strategy=…), timeout=2.0)`; a LangChain `RerankRetriever` takes "
        "what fetches, and its reranker `timeout=`, `fallback=` and the like.",
    ),
    Common(
        "no scorer is called …; there are … (a model follows a colon: \"llm:gpt-4o-mini\"), "
        "or pass an object or a function",
        "no scorer is called 'bm52'; there are bm25, llm, cross-encoder, onnx, embedding, cohere, "
        "api, hybrid (a model follows a colon: \"llm:gpt-4o-mini\"), or pass an object or a "
        "function",
        "The word before the colon names the kind of scorer, the rest the model: `onnx:NAME`, not "
        "`NAME` alone. [What scores](../scorers.md).",
    ),
    Common(
        "fallback: no scorer is called …; there are bm25, llm, cross-encoder, onnx, embedding, "
        "cohere, api, hybrid (a model follows a colon: \"llm:gpt-4o-mini\"), or pass an object "
        "or a function",
        "fallback: no scorer is called 'bm52'; there are bm25, llm, cross-encoder, onnx, "
        "embedding, cohere, api, hybrid (a model follows a colon: \"llm:gpt-4o-mini\"), or pass an "
        "object or a function",
        "`fallback=` takes what `Reranker(…)` takes first: a name as above, an object or a "
        'function. `fallback="bm25"` is the plainest one.',
    ),
    Common(
        "… needs the extra '…' of dropin-rerank: pip install …",
        "a model by name needs the extra 'openai' of dropin-rerank: pip install 'openai<3,>=1.99'",
        "The scorer, or the command, is there and what it is built on is not. Install the extra "
        "that the message names, into the environment that the program runs in.",
    ),
    Common(
        "timeout is … s: give a positive time, or None for none",
        "timeout is -1 s: give a positive time, or None for none",
        "A deadline is seconds, such as `timeout=2.0`, or a timedelta. None waits for ever.",
    ),
    Common(
        "top_n is …: ask for at least 1, or None for all",
        "top_n is 0: ask for at least 1, or None for all",
        "`top_n` is how many documents come back. None returns all of them, in the new order.",
    ),
    Common(
        "the query is empty: pass the question the documents should answer",
        "the query is empty: pass the question the documents should answer",
        "The question that came in was \"\" or only spaces. Look at what makes it: a form, or the "
        "step that condenses a conversation. In both frameworks a blank query of an agent is a "
        "note, and the retriever's order.",
    ),
    Common(
        "document … has no text: a dict needs a string under \"text\", \"content\" or "
        "\"page_content\"; its keys are …",
        "document 0 has no text: a dict needs a string under \"text\", \"content\" or "
        "\"page_content\"; its keys are body, id",
        "The text stands under another name. Hand over `{\"text\": row[\"body\"], …}`, or "
        "`Candidate(text, id=…, score=…, metadata=…)`.",
    ),
    Common(
        "document … is a …; pass a string, a dict with its text under \"text\", "
        "or a rerank_core.Candidate",
        "document 0 is a int; pass a string, a dict with its text under \"text\", "
        "or a rerank_core.Candidate",
        "A list of something else was given, such as pairs of a document and its score. Take the "
        "text out: `Candidate(document.text, score=score)`.",
    ),
    Common(
        "documents is one document: pass a list of them",
        "documents is one document: pass a list of them",
        "A string was given where a list of strings is wanted: `rank(query, [text])`.",
    ),
    Common(
        "threshold= needs scores that mean the same for every query; …'s do not. An LLM's grades "
        "(strategy=\"batch\" or \"pointwise\"), a cross-encoder's, an embedding's and a rerank "
        "service's do",
        "threshold= needs scores that mean the same for every query; bm25's do not. An LLM's "
        "grades (strategy=\"batch\" or \"pointwise\"), a cross-encoder's, an embedding's and a "
        "rerank service's do",
        "0.5 of BM25 is much for one query and little for another, so no cut would hold. Cut by "
        "number with `top_n=`, or take another scorer: [thresholds](../how-to/thresholds.md).",
    ),
    Common(
        "… scorers need combine=: WeightedSum({…}) or ReciprocalRankFusion() from "
        "rerank_core.combine",
        "2 scorers need combine=: WeightedSum({…}) or ReciprocalRankFusion() from "
        "rerank_core.combine",
        "Two scorers give two scores a document. Say how they become one, or put the scorers one "
        "after the other: [a cascade](../cascade.md).",
    ),
    Common(
        "cache is \"memory\", a path ending in .sqlite, .sqlite3, .db, \"sqlite:///path\", "
        "\"redis://host:port\", a client of redis-py, or an object with get_many, set_many and "
        "aclose; this … is none of them",
        "cache is \"memory\", a path ending in .sqlite, .sqlite3, .db, \"sqlite:///path\", "
        "\"redis://host:port\", a client of redis-py, or an object with get_many, set_many and "
        "aclose; this str is none of them",
        "The path has another ending, or the URL another scheme: `cache=\"scores.sqlite\"`.",
    ),
    Common(
        "… begins with http:// or https://, as in \"http://localhost:8080/v1\"; "
        "this one has no scheme",
        "url begins with http:// or https://, as in \"http://localhost:8080/v1\"; "
        "this one has no scheme",
        "An address needs its scheme: `http://localhost:8080`, not `localhost:8080`. Without "
        "TLS it is `http`.",
    ),
    Common(
        "provider=… is not known; there are …",
        "provider='cohre' is not known; there are cohere, jina, vllm, tei, …",
        "`provider=` names the shape of a server's requests. Leave it out for a service that is "
        "known by its address: [servers](../how-to/servers.md).",
    ),
    Common(
        "… needs a model: pass model=, for instance …",
        "jina needs a model: pass model=, for instance jina-reranker-v2-base-multilingual",
        "The service ranks by one of several models and has no default: "
        "`RerankAPIReranker(url, model=…)`, `api:https://…#MODEL` on the command line.",
    ),
    Common(
        "llm is a model's name, a LangChain chat model, a LlamaIndex LLM, or an object with "
        "`model` and `async complete(request)`, not …",
        "llm is a model's name, a LangChain chat model, a LlamaIndex LLM, or an object with "
        "`model` and `async complete(request)`, not a dict",
        "Hand over the model itself, as you made it for the rest of the program, or its name.",
    ),
    Common(
        "… cannot be sent in a header: its character … of … is U+… (…), which came in by copying; "
        "copy it again as plain text",
        "OPENAI_API_KEY in the environment cannot be sent in a header: its character 4 of 51 is "
        "U+2011 (NON-BREAKING HYPHEN), which came in by copying; copy it again as plain text",
        "A document or a chat changed a hyphen or a space of the key. Copy it from the vendor's "
        "page.",
    ),
    Common(
        "HTTP …: …",
        "HTTP 401: Incorrect API key provided: [redacted]",
        "The server refused. 401 and 403: another key; 404: the address or the model's name; 402: "
        "no credit; 429: too many requests, see `requests_per_minute=`; 5xx: the server's own "
        "trouble. It is raised where nothing was ever scored and no `fallback=` is given, else a "
        "note: [reasons](index.md#reasons).",
    ),
    Common(
        "…: connection refused at …",
        "ConnectError: connection refused at localhost:8080",
        "Nothing listens there. Start the server, or correct host and port; within a container "
        "`localhost` is the container itself.",
    ),
    Common(
        "…: no such host at …: …",
        "ConnectError: no such host at api.cohre.com: Name or service not known",
        "The name of the host is mistyped, or this machine reaches names only through a proxy: "
        "[behind a proxy](../how-to/proxy.md).",
    ),
    Common(
        "…: the certificate at … is not trusted: …",
        "ConnectError: the certificate at llm.example.com is not trusted: self-signed certificate",
        "Somebody between signs with a certificate of their own. Name it by `SSL_CERT_FILE`: "
        "[behind a proxy](../how-to/proxy.md).",
    ),
    Common(
        "nothing could be read from the reply of …: …",
        "nothing could be read from the reply of llama3.2: 'Sure! Here are the documents…'",
        "The model answered in prose, or nothing. Take one that follows formats, ask about fewer "
        "documents a call (`group_size=`), and leave room for the reply: "
        "[asking an LLM](../llm.md).",
    ),
    Common(
        "unknown … in [reranker]: did you mean …? there are …",
        "unknown 'top_k' in [reranker]: did you mean top_n? there are …",
        "A line of the configuration file has a name that is no option: "
        "[the configuration file](../how-to/configuration-file.md).",
    ),
    Common(
        "… does not belong in a file: keys are read from the environment",
        "api_key does not belong in a file: keys are read from the environment",
        "Take the line out, and set the variable of the service where the program runs: "
        "[the configuration file](../how-to/configuration-file.md#secrets).",
    ),
    Common(
        "there is no file …",
        "there is no file reranker.toml",
        "A relative path begins where the command was started.",
    ),
)  # fmt: skip

NOTES = (
    Common(
        "… scored … of …: …",
        "gpt-4o-mini scored 20 of 50: the deadline struck",
        "Only these were scored; the others stand where an estimate puts them. After the colon is "
        "why: the deadline, or what the server said. A longer `timeout=`, fewer candidates "
        "(`depth=`), a faster model.",
    ),
    Common(
        "… was still loading after … s",
        "BAAI/bge-reranker-base was still loading after 2.0 s",
        "The model was not in memory when the deadline struck. It goes on loading: call "
        "`reranker.warm_up()` when the program starts.",
    ),
    Common(
        "waited … s for the scorer to load: warm_up() does it ahead",
        "waited 3.2 s for the scorer to load: warm_up() does it ahead",
        "The first ranking paid for the loading. Nothing is wrong with its answer.",
    ),
    Common(
        "fallback … stood in and scored … of …",
        "fallback bm25 stood in and scored 50 of 50",
        "The first scorer failed and this one ranked. The notes before it say why.",
    ),
    Common(
        "… failed too often lately and was not asked",
        "gpt-4o-mini failed too often lately and was not asked",
        "After several failures in a row a scorer is left alone for a moment, so that no answer "
        "waits for it. The log has the failures before.",
    ),
    Common(
        "reranking degraded (…): …",
        "reranking degraded (timeout): gpt-4o-mini scored 20 of 50: the deadline struck",
        "The log's line for `ranking.report.degraded`: some documents have no score of the "
        'scorer. `on_error="raise"` makes an error of it. [Reasons](index.md#reasons).',
    ),
    Common(
        "no candidate has a retriever's score: its order counts, for less than BM25",
        "no candidate has a retriever's score: its order counts, for less than BM25",
        "The retriever handed over documents without scores, so that half of what `hybrid` goes by "
        "is only an order. Hand the scores over: LangChain's `as_retriever()` drops them, "
        "`RerankRetriever(store, …)` asks the store for them.",
    ),
    Common(
        "no candidate has a retriever's score: BM25 alone decides, and ties stay as given",
        "no candidate has a retriever's score: BM25 alone decides, and ties stay as given",
        "Plain strings have no retrieval score, and a list of them need not be in an order. "
        "Pass `Candidate(text, score=…)` where a retriever found them.",
    ),
    Common(
        "BM25 weighs less: … candidates are too few to tell rare words from common ones, and it "
        "has no table of this language's",
        "BM25 weighs less: 3 candidates are too few to tell rare words from common ones, and it "
        "has no table of this language's",
        "How telling a word is comes from the language at large, for the languages that have a "
        "table, else from the candidates. Have the retriever bring 50 to 100.",
    ),
    Common(
        "BM25: no candidate shares a word with the query",
        "BM25: no candidate shares a word with the query",
        "Another language, or other words for the same: BM25 can say nothing and the retriever's "
        "order stays. A cross-encoder or an LLM reads meaning: [what scores](../scorers.md).",
    ),
    Common(
        "the query is blank: this is the retriever's order",
        "the query is blank: this is the retriever's order",
        "An agent or a chat engine asked with an empty question. Look at the step that condenses "
        "the conversation.",
    ),
    Common(
        "could not be read, and is not scored",
        "1 document could not be read, and is not scored",
        "A document without a text came from the retriever. It stays in the ranking, unscored, "
        "where the retriever had it.",
    ),
    Common(
        "no document has the score_field … in its metadata",
        "no document has the score_field 'score' in its metadata",
        "`score_field=` names where the store leaves its score. Print one document's metadata and "
        "take the name from there.",
    ),
    Common(
        "some documents were longer than is shown of one, and the model saw their beginning: raise "
        "max_chars, document_tokens or group_tokens, or take long_documents=\"best-passage\"",
        "some documents were longer than is shown of one, and the model saw their beginning: raise "
        "max_chars, document_tokens or group_tokens, or take long_documents=\"best-passage\"",
        "What a question needs may stand further down: "
        "[long documents](../how-to/long-documents.md).",
    ),
    Common(
        "the score cache could not be …: …",
        "the score cache could not be read: ConnectionError: connection refused",
        "The ranking is unharmed, but paid for again. Look whether the file may be written, or "
        "whether Redis runs.",
    ),
    Common(
        "on_ranking raised; the ranking is unharmed",
        "on_ranking raised; the ranking is unharmed",
        "The function that you gave as `on_ranking=` has an error; the traceback is below it in "
        "the log.",
    ),
)  # fmt: skip
