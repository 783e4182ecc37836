"""Who wrote the replies behind a moment: of a trial that went on from another one, not only who plays in it now."""

from __future__ import annotations

from harness.intervene.moments import answered_calls, call_key
from harness.intervene.origin import Origin
from harness.intervene.translation import Translation
from harness.record import CallEvent, TrialDocument, TrialRow
from harness.run.metering import paid_replies
from harness.spec.resolved import LoadedModel


def written_by_others(
    origin: Origin, row: TrialRow, document: TrialDocument, at: int, model: LoadedModel
) -> Translation | None:
    """What knows the replies behind a moment that another model than this one has written; None without any.

    On a trial's own way back the model before its own has played, as its lineage says, or models before that: those
    are told by what the receipt says was asked.
    """
    replies = paid_replies(document)
    found = []
    for _, event in answered_calls(document)[:at]:
        reply = replies[call_key(event)].reply
        maker = _player(origin, row, event)
        if maker is None or maker.digest != model.digest or reply.receipt.model != model.entry.model:
            found.append(reply)
    return Translation.of(found) if found else None


def _player(origin: Origin, row: TrialRow, event: CallEvent) -> LoadedModel | None:
    """Who was asked in a call, as far as the record of this trial says; None where it is not known any more."""
    line = origin.lineage.get(row.cell)
    if event.replayed and line is not None and row.models.get(event.role) == line.suffix:
        return origin.entries.get(line.prefix or "")
    return origin.cell(row).models.get(event.role)
