"""A reply is short, since it is most of the wait: counted by o200k where it is at hand.

npm install --prefix DIR gpt-tokenizer; NODE_PATH=DIR/node_modules pytest tests/llm
"""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest
from llm_prompts import read_prompt
from loopback import fixed

from llm.conftest import TEXTS, Rank, Serve, sent
from rerank_core.llm.schemas import scores_schema

COUNT = """
const { encode } = require("gpt-tokenizer/encoding/o200k_base");
const texts = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(texts.map((text) => encode(text).length)));
"""


def o200k(texts: list[str]) -> list[int]:
    """The tokens of each text; skips where there is no tokenizer."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node")
    found = subprocess.run(
        [node, "-e", COUNT], input=json.dumps(texts), capture_output=True, text=True, check=False
    )
    if found.returncode:
        pytest.skip("needs the npm package gpt-tokenizer on NODE_PATH")
    return list(json.loads(found.stdout))


@pytest.mark.slow
def test_ten_documents_take_few_tokens(serve: Serve, rank: Rank) -> None:
    """At most 45 a call for grades, and 30 for an order, as the prompt asks for them."""
    server = serve()
    replies: list[str] = []
    judge = server.api.judge  # type: ignore[attr-defined]

    def noted(messages: Any, body: Any) -> Any:
        replies.append(judge(messages, body))
        return replies[-1]

    server.api.judge = noted  # type: ignore[attr-defined]
    for options, most in (
        ({"strategy": "batch"}, 45),
        ({"strategy": "listwise"}, 30),
        ({"strategy": "pointwise"}, 1),
    ):
        replies.clear()
        rank(texts=TEXTS[-10:], **options)
        assert max(o200k(replies)) <= most


@pytest.mark.parametrize("count", [1, 10, 33])
def test_a_schema_has_a_grade_for_every_id_of_its_prompt(
    serve: Serve, rank: Rank, count: int
) -> None:
    """All required and no other, as strict schemas want it."""
    server = serve()

    rank(texts=(TEXTS * 2)[:count], group_size=count)

    schema = server.requests[0].json["response_format"]["json_schema"]["schema"]
    ids = [name for name, _ in read_prompt(sent(server)[0]).documents]
    assert list(schema["properties"]) == schema["required"] == ids
    assert schema["additionalProperties"] is False
    assert schema["properties"]["1"] == {"type": "integer", "enum": list(range(11))}


def test_a_schema_lists_no_more_values_than_a_server_takes() -> None:
    """Then the grades are any whole numbers, and off the scale they are clamped as ever."""
    for scale, count in (((0, 100), 10), ((0, 10), 60), ((1, 5), 200)):
        assert scores_schema(scale, count)["properties"]["1"] == {"type": "integer"}


OTHER_FORMS = [
    '{"scores": [{"id": 1, "score": 2}, {"id": 2, "score": 9}]}',
    '{"scores":{"1":2,"2":9}}',
    '{\n  "1": 2,\n  "2": 9\n}',
    "1:2\n2:9",
    "[1] 2\n[2] 9",
    '```json\n{"1":2,"2":9}\n```',
]


@pytest.mark.parametrize("reply", OTHER_FORMS)
def test_every_other_form_is_read_as_well(serve: Serve, rank: Rank, reply: str) -> None:
    """A model that writes as it likes is understood."""
    serve(fixed(reply))

    assert [hit.score for hit in rank(texts=["a", "b"]).all] == [0.9, 0.2]
