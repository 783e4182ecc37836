"""Models behind litellm. Importing this is light; litellm itself is imported when the first model is built."""

from harness.models.remote.backend import LiteLLMModel
from harness.models.remote.loading import load_litellm
from harness.models.remote.parameters import check_parameters
from harness.models.remote.prices import map_price

__all__ = ["LiteLLMModel", "check_parameters", "load_litellm", "map_price"]
