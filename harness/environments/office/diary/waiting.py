"""The desk `clock`: looking at it, and letting time pass."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from harness.environments.office.desk import Answer, ComplaintError, Desk
from harness.environments.office.diary.calendar import moment
from harness.environments.office.diary.clock import deliver


def wait(desk: Desk, arguments: Mapping[str, Any]) -> Answer:
    """Let time pass until a moment; what arrives meanwhile is told with the answer."""
    said, now = str(arguments["until"]).strip(), desk.now
    until = moment(f"{now[:10]} {said.zfill(5)}" if re.fullmatch(r"[0-9]{1,2}:[0-9]{2}", said) else said)
    if until <= now:
        raise ComplaintError(f"{until[:16]} has passed; it is {now[:16]} now.")
    if until > desk.house.closes:
        raise ComplaintError(f"The office closes at {desk.house.closes[:16]}; it is {now[:16]} now.")
    deliver(desk.database, desk.house, until)
    return Answer("You waited.", {"waited": True})
