"""The engine: writes many branches of many documents at once. It knows tokens, never briefs, and nothing of localsum above it."""
