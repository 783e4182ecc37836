"""An office over real protocols: what is sent goes by SMTP, mailboxes are read by IMAP, the calendar by CalDAV.

The servers (aiosmtpd, pymap, Radicale) run in one thread of the trial's own. Their connections are pairs of connected
unix sockets, which have no name and no port, so that nobody else can reach them and nothing of them is left behind;
Radicale keeps its files in a folder of the trial's scratch. The tables of the office stay what a snapshot and a check
look at: after every call the servers are brought up to date by the protocols' own commands, and at the end what they
hold is compared with the tables.

What a model sees is the same as without.
"""

from __future__ import annotations

from harness.environments.office.served.mirror import Served, ServedError

__all__ = ["Served", "ServedError"]
