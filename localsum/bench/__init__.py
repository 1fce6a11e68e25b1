"""Measures how long briefs take on this machine, end to end: reports that describe themselves and can be compared."""
