"""Names of attributes, as the semantic conventions of OpenTelemetry 1.44.0 have them for GenAI.

Written out, as the package that has them calls its module private; a test compares.
"""

from __future__ import annotations

OPERATION = "gen_ai.operation.name"
PROVIDER = "gen_ai.provider.name"
REQUEST_MODEL = "gen_ai.request.model"
RESPONSE_MODEL = "gen_ai.response.model"
FINISH_REASONS = "gen_ai.response.finish_reasons"
INPUT_TOKENS = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
ERROR_TYPE = "error.type"

CHAT, EMBEDDINGS, RETRIEVAL, WORKFLOW = "chat", "embeddings", "retrieval", "invoke_workflow"
"""Values of `OPERATION`."""
