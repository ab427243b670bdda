"""The containers in deploy/, as far as they can be looked at without an engine."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
SECRET = re.compile(r"(?i)(password|secret|api_?key|token)\s*[=:]\s*[\"']?[\w-]{8,}")


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's, its continued lines joined."""
    text = re.sub(r"\\\n\s*", " ", (DEPLOY / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.partition(" ")[0], line.partition(" ")[2].strip()) for line in lines]


def of(kind: str) -> list[str]:
    return [rest for name, rest in instructions() if name == kind]


def documents(name: str) -> list[dict[str, Any]]:
    return [one for one in yaml.safe_load_all((DEPLOY / name).read_text()) if one]


def test_the_base_is_pinned() -> None:
    """To a version of Python and of Debian, and in every stage the same."""
    bases = [base.split()[0] for base in of("FROM")]

    assert len(bases) == 2
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.\d+-slim-\w+", bases[0])


def test_what_is_shipped_runs_as_nobody_in_particular() -> None:
    """By a number, as Kubernetes can only tell from that; and nothing changes it back."""
    last = [at for at, (name, _) in enumerate(instructions()) if name == "FROM"][-1]
    shipped = instructions()[last:]

    (user,) = [rest for name, rest in shipped if name == "USER"]
    assert int(user) >= 1000
    assert [name for name, _ in shipped].index("USER") < [n for n, _ in shipped].index("ENTRYPOINT")


def test_what_is_shipped_has_nothing_to_build_with() -> None:
    """The second stage takes the environment of the first, and installs nothing."""
    last = [at for at, (name, _) in enumerate(instructions()) if name == "FROM"][-1]
    shipped = instructions()[last:]

    assert ("COPY", "--from=build /venv /venv") in shipped
    assert not any("pip install" in rest or "apt-get" in rest for _, rest in shipped)


def test_what_pip_installs_is_small() -> None:
    """onnxruntime and the server; no torch, no framework, and no cache of pip's."""
    (run,) = [rest for rest in of("RUN") if "pip install" in rest]

    assert set(re.findall(r"\[([\w,-]+)\]", run)[0].split(",")) == {"onnx", "serve", "api", "redis"}
    assert "PIP_NO_CACHE_DIR=1" in of("ENV")[0]


@pytest.mark.parametrize("name", ["HEALTHCHECK", "ENTRYPOINT", "STOPSIGNAL", "EXPOSE", "CMD"])
def test_it_says_how_it_is_run(name: str) -> None:
    """Once; the command as a list, so that signals reach it and not a shell."""
    (rest,) = of(name)
    if name in ("ENTRYPOINT", "CMD"):
        assert rest.startswith("[")


def test_the_context_holds_what_is_copied_and_no_more() -> None:
    """Neither tests nor data nor the repository's history."""
    lines = (ROOT / ".dockerignore").read_text().split()
    let_in = {line[1:] for line in lines if line.startswith("!")}
    copied = {part for rest in of("COPY") if "--from" not in rest for part in rest.split()[:-1]}

    assert lines[0] == "*"
    assert copied == let_in
    assert all((ROOT / name).exists() for name in copied)


@pytest.mark.parametrize("name", ["Dockerfile", "compose.yaml", "kubernetes.yaml"])
def test_no_secret_is_written_down(name: str) -> None:
    """They come from outside."""
    assert not SECRET.search((DEPLOY / name).read_text())


def test_compose_starts_it_beside_a_redis() -> None:
    """Which is a cache and no more; both without rights that they do not need."""
    (compose,) = documents("compose.yaml")
    services = compose["services"]

    assert services["rerank"]["depends_on"] == {"redis": {"condition": "service_healthy"}}
    assert not services["redis"]["image"].endswith(("latest", "redis"))
    assert "allkeys-lru" in services["redis"]["command"]
    for service in services.values():
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
    assert "ports" not in services["redis"]
    built = DEPLOY / services["rerank"]["build"]["context"] / "deploy" / "Dockerfile"
    assert built.resolve() == (DEPLOY / "Dockerfile").resolve()


def test_kubernetes_knows_when_it_lives_and_when_it_is_ready() -> None:
    """By the paths that there are, on the port that it listens on."""
    by_kind = {one["kind"]: one for one in documents("kubernetes.yaml")}
    pod = by_kind["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]

    assert container["livenessProbe"]["httpGet"]["path"] == "/health"
    assert container["startupProbe"]["httpGet"]["path"] == "/health"
    assert container["readinessProbe"]["httpGet"]["path"] == "/ready"
    port = str(container["ports"][0]["containerPort"])
    assert container["args"][container["args"].index("--port") + 1] == port
    assert not container["image"].endswith("latest")
    assert by_kind["Service"]["spec"]["selector"] == {"app": "rerank"}


def test_kubernetes_gives_it_no_rights_and_time_to_end() -> None:
    """More than the server's own grace; the user is the image's."""
    by_kind = {one["kind"]: one for one in documents("kubernetes.yaml")}
    pod = by_kind["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]

    from rerank_core.serving.limits import Limits

    assert pod["terminationGracePeriodSeconds"] > Limits().grace + 5
    assert pod["securityContext"]["runAsNonRoot"]
    assert str(pod["securityContext"]["runAsUser"]) in of("USER")
    assert not container["securityContext"]["allowPrivilegeEscalation"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["volumes"]}


def test_the_models_in_the_config_map_are_ones(tmp_path: Path) -> None:
    """That this version can serve."""
    pytest.importorskip("starlette")
    from rerank_core.serving.limits import Limits
    from rerank_core.serving.models import Models

    by_kind = {one["kind"]: one for one in documents("kubernetes.yaml")}
    for name, text in by_kind["ConfigMap"]["data"].items():
        (tmp_path / name).write_text(text)

    assert [model.name for model in Models(tmp_path, Limits())] == ["default"]


def test_the_flags_are_ones_that_there_are() -> None:
    """What the image and the manifest call is the command's."""
    pytest.importorskip("typer")
    code = f"import sys; sys.path[:0] = [{str(ROOT / 'core')!r}]; sys.argv = ['rerank', 'serve', "
    code += "'--help']; from rerank_core.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    for flag in re.findall(r'"(--[\w-]+)"', (DEPLOY / "kubernetes.yaml").read_text()):
        assert flag in done.stdout
