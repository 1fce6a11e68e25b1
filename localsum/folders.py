"""Where localsum keeps what is the user's: models and briefs in the data folder, settings in the config folder."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def data_folder() -> Path:
    """The user's data folder for localsum; it need not exist."""
    return platformdirs.user_data_path("localsum", appauthor=False)


def config_folder() -> Path:
    """The user's config folder for localsum; it need not exist."""
    return platformdirs.user_config_path("localsum", appauthor=False)


def models_dir() -> Path:
    """The models folder: LOCALSUM_MODELS, else in the user's data folder; it need not exist."""
    chosen = os.environ.get("LOCALSUM_MODELS")
    return Path(os.path.abspath(os.path.expanduser(chosen))) if chosen else data_folder() / "models"
