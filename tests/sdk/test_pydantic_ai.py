"""The providers of Pydantic AI, each in an environment of its own: with the promised client its versions differ."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import autokitteh
from sdk.fake_service import serving
from sdk.services import _CLAUDE, _COMPLETION, _GEMINI, KEY

ROOT = Path(__file__).parent.parent.parent

#: For each: its helper, what the service is asked, its answer, what is promised along, and Pydantic AI's own model.
#: The versions that go with the promised clients import what newer versions of OpenTelemetry do not have any more.
PROVIDERS = {
    "anthropic": (
        *(
            "anthropic_pydantic_ai_provider",
            "POST /v1/messages",
            _CLAUDE,
            "anthropic ~= 0.54.0",
            "opentelemetry-api < 1.44",
        ),
        "anthropic.AnthropicModel",
    ),
    "openai": (
        *(
            "openai_pydantic_ai_provider",
            "POST /v1/chat/completions",
            _COMPLETION,
            "openai ~= 1.57",
            "opentelemetry-api < 1.44",
        ),
        "openai.OpenAIChatModel",
    ),
    "google": (
        *(
            "google_pydantic_ai_provider",
            "POST /v1beta/models/m:generateContent",
            _GEMINI,
            "httpx < 1",
            "opentelemetry-api",
        ),
        "google.GoogleModel",
    ),
}

PROGRAM = """
import importlib, sys
name, function, model = sys.argv[1:]
provider = getattr(importlib.import_module("autokitteh." + name), function)("conn")
module, _, cls = model.partition(".")
models = importlib.import_module("pydantic_ai.models." + module)
model = getattr(models, cls, None) or getattr(models, "OpenAIModel")
from pydantic_ai import Agent
print(Agent(model("m", provider=provider)).run_sync("hello").output)
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", PROVIDERS)
def test_an_agent_asks_its_model(name: str, tmp_path: Path) -> None:
    """An agent that was given the provider has its answer from the service, with the connection's key."""
    function, route, answer, promised, telemetry, model = PROVIDERS[name]
    python = environment(tmp_path, f"pydantic-ai-slim[{name}]", promised, telemetry)
    with serving({route: answer}) as fake:
        variable = "apiKey" if name == "openai" else "api_key"
        base_url = f"{fake.url}/v1" if name == "openai" else fake.url
        environ = {f"conn__{variable}": KEY, "conn__base_url": base_url}
        done = run(python, PROGRAM, name, function, model, environ=environ)
        assert done.stdout == "hi\n", done.stderr
        assert KEY in json.dumps(fake.last().headers)


def environment(tmp_path: Path, *requirements: str) -> Path:
    """A Python that has these, and the SDK."""
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(tmp_path / "env")], check=True)
    python = tmp_path / "env" / "bin" / "python"
    done = subprocess.run([*uv, "pip", "install", "--quiet", "--python", str(python), *requirements], check=False)
    if done.returncode:
        pytest.skip("the packages cannot be had here")
    return python


def run(python: Path, code: str, *args: str, environ: dict[str, str]) -> Any:
    source = str(Path(autokitteh.__file__).parent.parent)
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": source, **environ}
    return subprocess.run([str(python), "-c", code, *args], env=env, capture_output=True, text=True, check=False)
