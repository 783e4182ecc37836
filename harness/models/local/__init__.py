"""Embedded models: weights by name, from Hugging Face or from disk, each served by a child process of the harness.

Importing this is light; the engine is only ever imported in the child.
"""

from harness.models.local.catalogue import CatalogueModel, catalogue
from harness.models.local.model import LocalModel
from harness.models.local.progress import Interrupted, PlainProgress, Progress, QuietProgress, shown_progress
from harness.models.local.setup import check_local
from harness.models.local.source import Weights, catalogue_model, fetch_missing, fetched, found, is_local, source_of
from harness.models.local.storage import models_folder

__all__ = [
    "CatalogueModel",
    "Interrupted",
    "LocalModel",
    "PlainProgress",
    "Progress",
    "QuietProgress",
    "Weights",
    "catalogue",
    "catalogue_model",
    "check_local",
    "fetch_missing",
    "fetched",
    "found",
    "is_local",
    "models_folder",
    "shown_progress",
    "source_of",
]
