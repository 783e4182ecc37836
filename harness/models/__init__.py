"""Interchangeable models: one protocol, whatever answers (litellm's providers, local models, scripts, records).

Importing this is light; a backend is imported when `build_model` first needs it.
"""

from harness.models.accounts import Account, Accounts
from harness.models.build import backend_of, build_model, check_parameters, is_local, price_of
from harness.models.protocol import (
    Attempt,
    CallKey,
    ContextExceeded,
    Message,
    Model,
    ModelReply,
    ModelRequest,
    ModelSetupError,
    ProviderFault,
    Receipt,
    TimeExceeded,
    Usage,
)
from harness.models.redaction import redact, redact_data
from harness.models.replay import ReplayModel
from harness.models.seeds import call_seed

__all__ = [
    "Account",
    "Accounts",
    "Attempt",
    "CallKey",
    "ContextExceeded",
    "Message",
    "Model",
    "ModelReply",
    "ModelRequest",
    "ModelSetupError",
    "ProviderFault",
    "Receipt",
    "ReplayModel",
    "TimeExceeded",
    "Usage",
    "backend_of",
    "build_model",
    "call_seed",
    "check_parameters",
    "is_local",
    "price_of",
    "redact",
    "redact_data",
]
