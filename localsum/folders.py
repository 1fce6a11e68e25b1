"""Where localsum keeps what is the user's: models and briefs, under the user's data folder."""

from __future__ import annotations

from pathlib import Path

import platformdirs


def data_folder() -> Path:
    """The user's data folder for localsum; it need not exist."""
    return platformdirs.user_data_path("localsum", appauthor=False)
