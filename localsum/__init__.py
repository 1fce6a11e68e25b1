"""localsum: briefs of articles, newsletters and transcripts, written on this machine by a small model."""

__version__ = "0.1.0"
