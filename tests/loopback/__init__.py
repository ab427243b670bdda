"""Servers on 127.0.0.1 that speak the protocols of the real ones, and misbehave on request.

from loopback import FAULTS, OpenAIAPI, Server, first

with Server(OpenAIAPI(judge), faults=[FAULTS["rate-limit-seconds"].only(first(2))]) as server:
    client = openai.OpenAI(base_url=server.url + "/v1", api_key="any")
"""

from loopback.anthropic_api import AnthropicAPI
from loopback.asking import asked
from loopback.faults import FAULTS, Fault, after, always, every, first, matching, share
from loopback.judges import (
    Answer,
    Prompt,
    fenced_reader,
    fixed,
    ordering,
    plain_reader,
    regex_reader,
    scoring,
    sequence,
)
from loopback.latency import Latency
from loopback.messages import Request, Response
from loopback.nowhere import black_hole, refusing
from loopback.openai_api import OpenAIAPI
from loopback.picky import (
    Picky,
    a_longer_text_than,
    more_characters_than,
    more_texts_than,
)
from loopback.relevance import overlap
from loopback.rerank_api import DIALECTS, MISCHIEF, RerankAPI
from loopback.server import Server

__all__ = [
    "DIALECTS",
    "FAULTS",
    "MISCHIEF",
    "Answer",
    "AnthropicAPI",
    "Fault",
    "Latency",
    "OpenAIAPI",
    "Picky",
    "Prompt",
    "Request",
    "RerankAPI",
    "Response",
    "Server",
    "a_longer_text_than",
    "after",
    "always",
    "asked",
    "black_hole",
    "every",
    "fenced_reader",
    "first",
    "fixed",
    "matching",
    "more_characters_than",
    "more_texts_than",
    "ordering",
    "overlap",
    "plain_reader",
    "refusing",
    "regex_reader",
    "scoring",
    "sequence",
    "share",
]
