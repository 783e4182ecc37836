"""An office over real SMTP, IMAP and CalDAV servers: the same to a model, apart for every trial, gone at the end."""

import asyncio
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from environments.office_parts import HOUSE, Call, opening

from harness.environments import EnvironmentFault, Observation, Opening
from harness.environments.office import Office

for package in ("aiosmtpd", "pymap", "radicale"):
    pytest.importorskip(package, reason=f"{package} is not installed; pip install 'scaffold-harness[mail]'")

DESKS = ["mail", "attachments", "calendar", "availability", "contacts", "files", "clock"]
ODD = 'Grüße, "Tea" <a@b>; =?utf-8?q?no?= \u200b\U000e0041 ' + "long " * 30
HELD: dict[str, Any] = {
    "desks": DESKS,
    "folders": ["news letters"],
    "mail": [
        {"from": "Ann Reed", "subject": ODD, "at": "2026-03-01 08:00",
         "body": f"One\r\ntwo\n.\n\n{ODD}\n From the start\t"},
        {"from": "x@out.example", "name": "Ann Réed", "cc": ["Ben Hale"], "subject": "Html", "unread": False,
         "html": "<p>Seen</p><p hidden>unseen</p>", "at": "2026-02-01 08:00", "folder": "news letters"},
        {"from": "Ben Hale", "subject": "List", "body": "", "reply_to": 1, "at": "2026-03-01 09:00",
         "attachments": [{"name": "a b ü.csv", "rows": [["x", 1]]}, {"name": "n.txt", "text": "Line\r\nLine\n"}]},
        {"from": "Ann Reed", "subject": "Later", "arrives": "2026-03-02 09:30", "reply_to": 1},
    ],
    "events": [
        {"title": ODD.strip()[:190], "start": "2026-03-03 10:00", "end": "2026-03-03 11:00",
         "location": "oak; elm, yew\\", "attendees": ["Ann Reed", "Ben Hale"]},
        {"title": "Own", "start": "2026-03-03 14:00", "end": "2026-03-04 15:00", "organizer": "Ben Hale",
         "private": True},
        {"title": "Plan", "start": "2026-03-05 10:00", "end": "2026-03-05 11:00", "organizer": "Ben Hale",
         "attendees": ["kit@mill.example"], "arrives": "2026-03-02 09:20"},
    ],
    "replies": [{"when": {"to": "Ann Reed"}, "after": 5, "mail": {"body": "Yes."}}],
    "files": {"notes.txt": "oak\n"},
}  # fmt: skip
DAY: list[Call] = [
    ("list_mail", {"folder": "inbox"}),
    ("list_mail", {"folder": "news letters"}),
    ("list_mail", {"folder": "archive"}),
    *[("read_mail", {"id": number}) for number in (1, 2, 3, 9)],
    ("search_mail", {"text": "unseen"}),
    ("open_attachment", {"id": 3, "name": "a b ü.csv"}),
    ("open_attachment", {"id": 3, "name": "n.txt"}),
    ("send_mail", {"to": "Ann Reed, z@out.example", "cc": "Ben Hale", "subject": ODD, "body": ODD + "\n.\nEnd",
                   "reply_to": 1, "attachments": "notes.txt"}),
    ("send_mail", {"to": "Zoe", "subject": "", "body": ""}),
    ("forward_mail", {"id": 3, "to": "Ann Reed", "body": "See."}),
    ("move_mail", {"id": 3, "folder": "archive"}),
    ("list_mail", {"folder": "archive"}),
    ("list_mail", {"folder": "inbox", "unread_only": True}),
    ("wait", {"until": "09:30"}),
    ("read_thread", {"id": 1}),
    ("list_mail", {"folder": "inbox"}),
    ("list_mail", {"folder": "sent"}),
    ("list_events", {"from": "2026-03-02", "to": "2026-03-09"}),
    ("list_events", {"from": "2026-03-02", "to": "2026-03-09", "person": "Ben Hale"}),
    ("create_event", {"title": "Tea\x07, two", "start": "2026-03-03 10:30", "end": "2026-03-03 12:00",
                      "attendees": "Ann Reed"}),
    ("update_event", {"id": 1, "start": "2026-03-06 09:00", "attendees": "Ben Hale"}),
    ("answer_invitation", {"id": 3, "answer": "declined"}),
    ("list_events", {"from": "2026-03-02", "to": "2026-03-05"}),
    ("busy_times", {"people": "me, Ben Hale", "from": "2026-03-02", "to": "2026-03-09"}),
    ("cancel_event", {"id": 1}),
    ("list_events", {"from": "2026-03-02", "to": "2026-03-09"}),
]  # fmt: skip


def house(folder: Path, *, served: bool, **options: Any) -> Opening:
    folder.mkdir(exist_ok=True)
    return opening(folder, **{**HELD, "served": served, **options})


async def whole_day(given: Opening) -> tuple[list[Observation], bytes]:
    office = await Office.open(given)
    try:
        seen = [await office.call("worker", tool, arguments) for tool, arguments in DAY]
        return seen, (await office.final_state()).data
    finally:
        await office.close()


@pytest.mark.parametrize("hidden", [True, False])
def test_a_model_sees_the_same_and_leaves_the_same(tmp_path: Path, hidden: bool) -> None:
    plain, left = asyncio.run(whole_day(house(tmp_path / "a", served=False, hidden_text=hidden)))
    served, left_too = asyncio.run(whole_day(house(tmp_path / "b", served=True, hidden_text=hidden)))
    for call, one, other in zip(DAY, plain, served, strict=True):
        expected = one.text.replace("Tea\x07, two", "Tea , two") if call[0] == "list_events" else one.text
        assert other.text == expected, call
        assert (other.error, other.data) == (one.error, one.data), call
    assert left_too == left
    assert sum(one.error for one in plain) == 2


def test_nothing_is_left_behind_when_it_closes(tmp_path: Path) -> None:
    asyncio.run(whole_day(house(tmp_path / "warm", served=True)))
    fds = len(os.listdir("/proc/self/fd"))
    threads = {thread for thread in threading.enumerate() if not thread.name.startswith("asyncio_")}
    asyncio.run(whole_day(house(tmp_path / "a", served=True)))
    assert {t for t in threading.enumerate() if not t.name.startswith("asyncio_")} <= threads
    assert len(os.listdir("/proc/self/fd")) <= fds
    assert list((tmp_path / "a").iterdir()) == []


def test_no_port_and_no_named_socket_is_opened(tmp_path: Path) -> None:
    def listening() -> set[str]:
        tables = [Path(f"/proc/self/net/{name}").read_text().splitlines()[1:] for name in ("tcp", "tcp6")]
        inodes = {line.split()[9] for table in tables for line in table if line.split()[3] == "0A"}
        own = {os.readlink(entry.path) for entry in os.scandir("/proc/self/fd") if Path(entry.path).is_symlink()}
        named = {f"socket:[{line.split()[6]}]" for line in Path("/proc/self/net/unix").read_text().splitlines()[1:]
                 if len(line.split()) > 7}  # fmt: skip
        return own & ({f"socket:[{inode}]" for inode in inodes} | named)

    async def look() -> None:
        office = await Office.open(house(tmp_path / "a", served=True))
        try:
            assert listening() == before
        finally:
            await office.close()

    before = listening()
    asyncio.run(look())


def test_trials_at_once_do_not_see_each_other(tmp_path: Path) -> None:
    async def crowd() -> None:
        many = await asyncio.gather(*(Office.open(house(tmp_path / str(n), served=True)) for n in range(4)))
        try:
            for number, office in enumerate(many):
                mail = {"to": "z@out.example", "subject": f"From {number}", "body": ""}
                await office.call("worker", "send_mail", mail)
            seen = [(await office.call("worker", "list_mail", {"folder": "sent"})).text for office in many]
            assert [[f"From {n}" in text for n in range(4)] for text in seen] == [
                [n == number for n in range(4)] for number in range(4)
            ]
        finally:
            await asyncio.gather(*(office.close() for office in many))

    asyncio.run(crowd())


def test_a_snapshot_brings_the_servers_back_too(tmp_path: Path) -> None:
    async def there_and_back() -> None:
        office = await Office.open(house(tmp_path / "a", served=True))
        try:
            snapshot = await office.snapshot()
            seen = [await office.call("worker", *call) for call in DAY]
            await office.restore(snapshot)
            assert [await office.call("worker", *call) for call in DAY] == seen
            await office.final_state()
        finally:
            await office.close()

    asyncio.run(there_and_back())


def test_mail_goes_between_seats(tmp_path: Path) -> None:
    async def work() -> None:
        (tmp_path / "a").mkdir()
        seats = {"clerk": "Kit Low", "head": "Ann Reed"}
        office = await Office.open(opening(tmp_path / "a", ("clerk", "head"), seats=seats, desks=["mail"], served=True))
        try:
            await office.call("clerk", "send_mail", {"to": "Ann Reed", "subject": "Tea", "body": "?"})
            assert await office.news("head") == "New: mail 2 from Kit Low: Tea."
            seen = await office.call("head", "read_mail", {"id": 2})
            assert seen.text.splitlines()[0] == "From: Kit Low <kit@mill.example>"
            assert (await office.call("head", "read_mail", {"id": 1})).error
            await office.final_state()
        finally:
            await office.close()

    asyncio.run(work())


def test_a_mailbox_that_went_astray_is_a_fault(tmp_path: Path) -> None:
    async def work() -> None:
        office = await Office.open(house(tmp_path / "a", served=True))
        try:
            assert office._served is not None
            office._served._boxes[HOUSE["user"]].empty()
            with pytest.raises(EnvironmentFault, match="mail 1 is not in the mailbox"):
                await office.final_state()
        finally:
            await office.close()

    asyncio.run(work())


def test_the_record_knows_the_servers(tmp_path: Path) -> None:
    async def work() -> str:
        office = await Office.open(house(tmp_path / "a", served=True))
        try:
            return str(office.facts["servers"])
        finally:
            await office.close()

    assert asyncio.run(work()).startswith("aiosmtpd ")
