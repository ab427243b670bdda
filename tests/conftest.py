"""What the tests share."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]
#: What is asked for by whoever wants the quick part.
QUICK = "not slow"

# no timing is asserted, and the same examples are tried each time
settings.register_profile("rerank", deadline=None, derandomize=True)
settings.register_profile("quick", settings.get_profile("rerank"), max_examples=25)


def pytest_configure(config: pytest.Config) -> None:
    """Fewer examples in the quick part."""
    settings.load_profile("quick" if config.option.markexpr == QUICK else "rerank")


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What is imported by now stays: no collection of garbage need go through it again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Test collections and recorded model replies, which are not part of the project."""
    folder = Path(os.environ.get("RERANK_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no test collections at {folder}: set RERANK_DATA to run this test")
    return folder


@pytest.fixture(autouse=True)
def _no_keys_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test depends on, or spends, the keys of whoever runs it."""
    for name in list(os.environ):
        if name.endswith("_API_KEY") or name in {"OPENAI_BASE_URL", "RERANK_MODEL", "CO_API_URL"}:
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _no_server_known_by_its_port() -> None:
    """A port of loopback is used again, by another server that takes other parameters."""
    if (dialect := sys.modules.get("rerank_core.chat.dialect")) is not None:
        dialect._known.clear()


#: Slow suites that are run for each version of others all the same: see noxfile.py.
VERSION_SUITES = {
    "test_chats.py",
    "test_cli.py",
    "test_cohere.py",
    "test_embedding.py",
    "test_head.py",
    "test_instructions.py",
    "test_langchain_parts.py",
    "test_missing_extras.py",
    "test_redis.py",
    "test_rerank_api.py",
    "test_sdk_clients.py",
    "test_secret.py",
    "test_serve_batching.py",
    "test_serve_limits.py",
    "test_sqlite.py",
    "test_vendor_usage.py",
}
#: Whole suites that wait for deadlines, processes or servers, or ask SDKs over sockets: left out by
#: `-m "not slow"`.
SLOW_SUITES = VERSION_SUITES | {
    "test_answers.py",
    "test_bulk_faults.py",
    "test_bulk_resume.py",
    "test_cache.py",
    "test_chat_callbacks.py",
    "test_contract.py",
    "test_cross_encoder.py",
    "test_deploy.py",
    "test_diagnose.py",
    "test_docs.py",
    "test_doctor_cli.py",
    "test_evaluation_cli.py",
    "test_every_algorithm.py",
    "test_every_fault.py",
    "test_files_of_others.py",
    "test_http_errors.py",
    "test_imports.py",
    "test_injection.py",
    "test_judge.py",
    "test_judge_cli.py",
    "test_late_stores.py",
    "test_leaks.py",
    "test_llamaindex_pipelines.py",
    "test_llm_server.py",
    "test_loopback.py",
    "test_names.py",
    "test_none_relevant.py",
    "test_onnx.py",
    "test_onnx_graph.py",
    "test_openinference.py",
    "test_parsing_properties.py",
    "test_prices.py",
    "test_providers.py",
    "test_refusals.py",
    "test_report.py",
    "test_scale.py",
    "test_security.py",
    "test_services.py",
    "test_site_pages.py",
    "test_sizes.py",
    "test_sizing.py",
    "test_strategies.py",
    "test_tuning.py",
    "test_unheard.py",
    "test_verdict.py",
}

#: What of these trains models, or drives whole servers and browsers: `make long` runs it.
LONG_SUITES = {
    "test_built_site.py",
    "test_serve_clients.py",
    "test_serve_process.py",
    "test_teach.py",
}


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """For the quick part they are not even read: torch and others would be imported for it."""
    return True if config.option.markexpr == QUICK and collection_path.name in SLOW_SUITES else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark them, so that the quick part stays within a minute."""
    for item in items:
        if item.path.name in SLOW_SUITES:
            item.add_marker(pytest.mark.slow)
        if item.path.name in VERSION_SUITES:
            item.add_marker(pytest.mark.versions)
        if item.path.name in LONG_SUITES and item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.long)
