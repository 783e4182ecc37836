"""The record of a sweep: what is written down of each trial, the store that keeps it, the tables made from it."""

from harness.record.actions import RecordedAction, recorded_actions
from harness.record.builder import DocumentBuilder, message_hash, requested_messages
from harness.record.errors import RecordError
from harness.record.lineage import Drift, Intervention, Lineage
from harness.record.opening import Recorded, find_sweep, open_record
from harness.record.results import Results
from harness.record.schema import (
    RESULT_PARTIES,
    RESULT_STATES,
    CallEvent,
    CheckResult,
    Event,
    NodeEvent,
    Party,
    State,
    ToolEvent,
    TrialDocument,
    TrialRecord,
    TrialRow,
)
from harness.record.store import AskedRow, Store
from harness.record.sweep_lock import LockEntry, read_lock, write_lock

__all__ = [
    "RESULT_PARTIES",
    "RESULT_STATES",
    "AskedRow",
    "CallEvent",
    "CheckResult",
    "DocumentBuilder",
    "Drift",
    "Event",
    "Intervention",
    "Lineage",
    "LockEntry",
    "NodeEvent",
    "Party",
    "RecordError",
    "Recorded",
    "RecordedAction",
    "Results",
    "State",
    "Store",
    "ToolEvent",
    "TrialDocument",
    "TrialRecord",
    "TrialRow",
    "find_sweep",
    "message_hash",
    "open_record",
    "read_lock",
    "recorded_actions",
    "requested_messages",
    "write_lock",
]
