"""What a call costs with genai-otel, beside the same telemetry written by hand, in one run."""
