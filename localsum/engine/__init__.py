"""The engine: writes many branches of many documents at once. Knows tokens, never briefs."""
