"""Mail of an office in full: attachments, copies, forwarding, exchanges, and mail that means harm."""

import base64
import io
from pathlib import Path
from typing import Any, ClassVar

import pytest
from environments.office_parts import Call, day, opening
from openpyxl import load_workbook
from pydantic import ValidationError

from harness.environments import EnvironmentFault
from harness.environments.office import Office
from harness.environments.office.mail.html import html_text

DESKS = ["mail", "attachments", "calendar", "contacts", "files", "documents", "spreadsheets"]
MAIL: list[dict[str, Any]] = [
    {
        "from": "Ann Reed", "cc": ["Ben Hale"], "subject": "Wool", "body": "See the list.", "at": "2026-03-01 08:00",
        "attachments": [
            {"name": "wool.xlsx", "rows": [["kind", "crowns"], ["grey", 12], ["sum", "=B2*2"]]},
            {"name": "notes.txt", "text": "Grey only.\n"},
            {"name": "list.csv", "rows": [["a", "=1+1"]]},
            {"name": "page.html", "text": "<p>Hello <b>there</b></p><p style='display:none'>unseen</p>"},
        ],
    },
]  # fmt: skip


class TestAttachments:
    def test_they_are_named_in_the_mail(self, tmp_path: Path) -> None:
        (seen,), _ = day(opening(tmp_path, desks=DESKS, mail=MAIL), ("read_mail", {"id": 1}))
        head = seen.text.splitlines()
        assert head[2] == "Cc: Ben Hale <ben@mill.example>"
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        assert head[5].startswith(f"Attachments: wool.xlsx ({kind}, ")
        assert head[5].endswith(
            "bytes), notes.txt (text/plain, 11 bytes), list.csv (text/csv, 4 bytes), page.html (text/html, 59 bytes)"
        )

    def test_text_and_sheets_open_and_anything_else_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "photo.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))
        mail = [
            *MAIL,
            {"from": "Ben Hale", "attachments": [{"name": "photo.png", "data": str(tmp_path / "photo.png")}]},
        ]
        names = [
            (1, "wool.xlsx"),
            (1, "Notes.TXT"),
            (1, "list.csv"),
            (1, "page.html"),
            (2, "photo.png"),
            (1, "x"),
            (9, "x"),
        ]
        seen, _ = day(
            opening(tmp_path, desks=DESKS, mail=mail),
            *(("open_attachment", {"id": number, "name": name}) for number, name in names),
        )
        assert [one.text for one in seen] == [
            " | A | B\n1 | kind | crowns\n2 | grey | 12\n3 | sum | 24",
            "Grey only.\n",
            " | A | B\n1 | a | 2",
            "Hello there\n\nunseen",
            "photo.png (image/png, 58 bytes) is no text and cannot be shown here.",
            "Error: Mail 1 has no attachment 'x'; it has wool.xlsx, notes.txt, list.csv, page.html.",
            "Error: Mail 9 has no attachment 'x'; it has none.",
        ]

    def test_things_of_the_office_are_sent_along(self, tmp_path: Path) -> None:
        house = opening(
            tmp_path, desks=DESKS, files={"notes/rooms.txt": "oak\n"}, documents={"rules.md": "One rule.\n"},
            spreadsheets={"rent": {"sheets": {"S": [["oak", 40], ["sum", "=B1"]]}}},
        )  # fmt: skip
        call: Call = (
            "send_mail",
            {"to": "Ann Reed", "cc": "x@out.example, ann@mill.example", "subject": "Papers", "body": "",
             "attachments": "notes/rooms.txt, rules.md, rent"},
        )  # fmt: skip
        (seen,), after = day(house, call)
        assert seen.text == (
            "Sent to Ann Reed, with a copy to x@out.example, with rooms.txt, rules.md, rent.xlsx as mail 1. "
            "Note: not in the contacts: x@out.example."
        )
        sent = after["sent"][0]
        assert sent["cc"] == ["x@out.example"] and sent["owner"] == "kit@mill.example"
        assert [(one["name"], one.get("text")) for one in sent["attachments"]] == [
            ("rooms.txt", "oak\n"), ("rules.md", "One rule.\n"), ("rent.xlsx", None),
        ]  # fmt: skip
        workbook = load_workbook(io.BytesIO(base64.b64decode(sent["attachments"][2]["base64"])))
        assert workbook["S"]["B2"].value == "=B1"
        assert day(house, call)[1] == after

    @pytest.mark.parametrize(
        ("paths", "reason"),
        [("absent.txt", "nothing called 'absent.txt'"), ("../x", "no path"), ("a/n.txt, b/n.txt", "the same name")],
    )
    def test_what_is_not_there_is_not_sent(self, tmp_path: Path, paths: str, reason: str) -> None:
        (seen,), after = day(
            opening(tmp_path, desks=DESKS, files={"a/n.txt": "", "b/n.txt": ""}),
            ("send_mail", {"to": "Ann Reed", "subject": "x", "body": "y", "attachments": paths}),
        )
        assert seen.error and reason in seen.text and after["sent"] == []

    def test_they_are_kept_in_the_office(self, tmp_path: Path) -> None:
        (tmp_path / "photo.png").write_bytes(b"\xff\xd8\xff")
        mail = [*MAIL, {"from": "Ben Hale", "attachments": [{"name": "p.jpg", "data": str(tmp_path / "photo.png")}]}]
        seen, after = day(
            opening(tmp_path, desks=DESKS, mail=mail),
            ("save_attachment", {"id": 1, "name": "notes.txt", "path": "wool/notes.txt"}),
            ("save_attachment", {"id": 1, "name": "wool.xlsx", "path": "wool.xlsx"}),
            ("save_attachment", {"id": 2, "name": "p.jpg", "path": "p.jpg"}),
        )
        assert [one.error for one in seen] == [False, False, True]
        assert after["files"] == {"wool/notes.txt": "Grey only.\n"}
        assert after["spreadsheets"]["wool.xlsx"]["Sheet1"]["B3"] == 24

    def test_a_mail_is_sent_on_with_all_that_came_with_it(self, tmp_path: Path) -> None:
        (seen,), after = day(
            opening(tmp_path, desks=DESKS, mail=MAIL), ("forward_mail", {"id": 1, "to": "Ben Hale", "body": "For you."})
        )
        assert seen.text == "Forwarded mail 1 to Ben Hale as mail 2."
        assert after["sent"][0]["subject"] == "Fwd: Wool"
        assert after["sent"][0]["body"] == (
            "For you.\n\n---------- Forwarded mail ----------\nFrom: Ann Reed <ann@mill.example>\n"
            "Sent: 2026-03-01 08:00\nSubject: Wool\n\nSee the list."
        )
        assert after["sent"][0]["attachments"] == after["mail"][0]["attachments"]

    def test_an_exchange_is_read_in_order(self, tmp_path: Path) -> None:
        mail = [
            {"from": "Ann Reed", "subject": "Tea", "body": "Tea?", "at": "2026-03-01 08:00"},
            {"from": "Ben Hale", "subject": "Other", "at": "2026-03-01 09:00"},
            {"from": "Kit Low", "to": ["Ann Reed"], "subject": "Re: Tea", "body": "Yes.", "at": "2026-03-01 10:00",
             "folder": "sent", "reply_to": 1},
        ]  # fmt: skip
        seen, _ = day(
            opening(tmp_path, desks=DESKS, mail=mail),
            ("send_mail", {"to": "Ann Reed", "subject": "Re: Tea", "body": "At ten.", "reply_to": 3}),
            ("read_thread", {"id": 1}),
            ("read_thread", {"id": 2}),
        )
        assert [line for line in seen[1].text.splitlines() if line.startswith("Mail ")] == [
            "Mail 1",
            "Mail 3",
            "Mail 4",
        ]
        assert seen[2].data["rows"] == 1

    @pytest.mark.parametrize(
        "attachment",
        [
            {"name": "a.txt"},
            {"name": "a/b.txt", "text": ""},
            {"name": "a.txt", "text": "", "rows": []},
            {"name": "a.txt", "rows": [[1]]},
            {"name": "a, b.txt", "text": ""},
        ],
    )
    def test_one_that_makes_no_sense_is_refused(self, tmp_path: Path, attachment: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            opening(tmp_path, mail=[{"from": "Ann Reed", "attachments": [attachment]}])

    def test_a_contents_file_points_at_no_other_file(self, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_text("x")
        (tmp_path / "office.yaml").write_text(
            "mail:\n  - from: a@b.example\n    attachments: [{name: a.txt, data: a.txt}]\n"
        )
        with pytest.raises(EnvironmentFault, match=r"mail\.0\.attachments\.0\.data names a file"):
            day(opening(tmp_path, contents=str(tmp_path / "office.yaml")))


class TestDesks:
    def test_the_usual_desks_offer_the_usual_tools(self, tmp_path: Path) -> None:
        names = [tool.name for tool in Office.tools(opening(tmp_path).options, "worker")]
        assert names == [
            "list_mail", "read_mail", "search_mail", "send_mail", "move_mail", "list_events", "create_event",
            "update_event", "cancel_event", "list_files", "read_file", "write_file", "find_contact",
        ]  # fmt: skip

    def test_a_tool_of_a_desk_that_is_not_there_is_refused(self, tmp_path: Path) -> None:
        seen, _ = day(opening(tmp_path, desks=["mail"]), ("read_file", {"path": "x"}), ("wait", {"until": "10:00"}))
        assert all(one.error and "there is no tool" in one.text.lower() for one in seen)

    @pytest.mark.parametrize("desks", [[], ["attachments"], ["mail", "address_book"], ["kitchen"]])
    def test_desks_that_make_no_sense_are_refused(self, tmp_path: Path, desks: list[str]) -> None:
        with pytest.raises(ValidationError):
            opening(tmp_path, desks=desks)

    def test_contacts_are_kept_up_to_date(self, tmp_path: Path) -> None:
        seen, after = day(
            opening(tmp_path, desks=["contacts", "address_book"]),
            ("search_contacts", {"text": "horn"}),
            ("add_contact", {"name": " Cy  Dunn ", "email": "CY@mill.example", "note": "smith"}),
            ("add_contact", {"name": "Cy", "email": "cy@mill.example"}),
            ("update_contact", {"who": "Ben Hale", "email": "hale@mill.example"}),
            ("update_contact", {"who": "Ann Reed", "email": "cy@mill.example"}),
            ("update_contact", {"who": "x@y.example", "name": "X"}),
        )
        assert seen[0].text.splitlines()[1] == "Ann Reed | ann@mill.example | Plays the horn"
        assert [one.error for one in seen] == [False, False, True, False, True, True]
        assert after["people"]["cy@mill.example"] == "Cy Dunn" and after["notes"]["cy@mill.example"] == "smith"
        assert "hale@mill.example" in after["people"] and "ben@mill.example" not in after["people"]


class TestCalendar:
    EVENTS: ClassVar[list[dict[str, Any]]] = [
        {"title": "Watch", "start": "2026-03-05 18:00", "end": "2026-03-05 19:00",
         "repeat": {"every": "weekday", "times": 3}},
        {"title": "Doctor", "start": "2026-03-05 08:00", "end": "2026-03-05 09:00", "organizer": "Ben Hale",
         "private": True},
        {"title": "Plan", "start": "2026-03-06 10:00", "end": "2026-03-06 11:00", "organizer": "Ann Reed",
         "attendees": ["kit@mill.example", "Ben Hale"]},
    ]  # fmt: skip

    def test_a_repeated_event_is_there_each_time(self, tmp_path: Path) -> None:
        _, after = day(opening(tmp_path, events=self.EVENTS))
        assert [event["start"][:10] for event in after["events"]][:3] == ["2026-03-05", "2026-03-06", "2026-03-09"]

    def test_months_that_lack_the_day_are_a_fault(self, tmp_path: Path) -> None:
        event = {**self.EVENTS[0], "start": "2026-03-31 18:00", "end": "2026-03-31 19:00",
                 "repeat": {"every": "month", "times": 3}}  # fmt: skip
        with pytest.raises(EnvironmentFault, match="31th cannot be repeated every month"):
            day(opening(tmp_path, events=[event]))

    def test_others_see_that_time_is_taken_and_not_with_what(self, tmp_path: Path) -> None:
        desks = ["calendar", "availability", "contacts"]
        (listed, busy, free, clash), _ = day(
            opening(tmp_path, desks=desks, events=self.EVENTS),
            ("list_events", {"from": "2026-03-05", "to": "2026-03-06", "person": "Ben Hale"}),
            ("busy_times", {"people": "Ben Hale, Ann Reed", "from": "2026-03-05", "to": "2026-03-06"}),
            ("busy_times", {"people": "Ann Reed", "from": "2026-03-05", "to": "2026-03-05"}),
            (
                "create_event",
                {"title": "x", "start": "2026-03-05 08:30", "end": "2026-03-05 09:30", "attendees": "Ben Hale"},
            ),
        )
        assert listed.text.splitlines()[1] == "4 | 2026-03-05 08:00-09:00 | (private) |  | "
        assert busy.text.splitlines() == [
            "busy | who", "2026-03-05 08:00-09:00 | Ben Hale", "2026-03-06 10:00-11:00 | Ann Reed",
            "2026-03-06 10:00-11:00 | Ben Hale",
        ]  # fmt: skip
        assert free.text == "Free all the time from 2026-03-05 to 2026-03-05: Ann Reed."
        assert "Doctor" not in clash.text and "event 4 '(private)'" in clash.text

    def test_an_invitation_is_answered(self, tmp_path: Path) -> None:
        desks = ["calendar", "availability"]
        seen, after = day(
            opening(tmp_path, desks=desks, events=self.EVENTS),
            ("answer_invitation", {"id": 5, "answer": "declined"}),
            ("answer_invitation", {"id": 4, "answer": "accepted"}),
            ("busy_times", {"people": "me", "from": "2026-03-06", "to": "2026-03-06"}),
        )
        assert [one.error for one in seen] == [False, True, False]
        assert after["answers"] == [{"event": 5, "address": "kit@mill.example", "answer": "declined"}]
        assert seen[2].text.splitlines()[1:] == ["2026-03-06 18:00-19:00 | you"]


HIDDEN = (
    "<html><head><title>t</title><style>p {color: red}</style></head><body><p>Please see the <a href='http://x.example/y'>"
    "offer</a>.</p><div style='color:#FFFFFF; background-color: white'>one</div><p hidden>two</p>"
    "<span style='font-size:0'>three</span><p style='DISPLAY : None'>four <b>five</b></p>"
    "<font color='white'>six</font><p>A\u200bB</p><table><tr><td>1<td>2</tr></table><p>end<br>line"
)


class TestMailThatMeansHarm:
    def test_html_is_shown_as_text_with_or_without_what_cannot_be_seen(self) -> None:
        seen = html_text(HIDDEN, hidden=False)
        assert seen.split() == ["Please", "see", "the", "offer", "<http://x.example/y>.", "AB", "1", "2", "end", "line"]
        whole = html_text(HIDDEN, hidden=True)
        assert all(word in whole for word in ("one", "two", "three", "four", "five", "six", "A\u200bB"))
        assert "color: red" not in whole

    @pytest.mark.parametrize(
        "html", ["<", "<p", "</p></b>", "<p>" * 2000 + "deep", "<!--", "&#x110000;", "<a href=>x</a>"]
    )
    def test_broken_html_is_no_trouble(self, html: str) -> None:
        assert isinstance(html_text(html, hidden=False), str)

    @pytest.mark.parametrize(("hidden", "shown"), [(True, True), (False, False)])
    def test_the_option_says_whether_hidden_text_is_shown(self, tmp_path: Path, hidden: bool, shown: bool) -> None:
        tags = "".join(chr(0xE0000 + ord(letter)) for letter in "obey")
        mail = [
            {"from": "x@out.example", "html": HIDDEN},
            {"from": "x@out.example", "body": f"Hello{tags}.", "attachments": [{"name": "a.txt", "text": f"A{tags}B"}]},
        ]
        seen, _ = day(
            opening(tmp_path, desks=DESKS, mail=mail, hidden_text=hidden),
            ("read_mail", {"id": 1}),
            ("read_mail", {"id": 2}),
            ("open_attachment", {"id": 2, "name": "a.txt"}),
            ("search_mail", {"text": "four"}),
        )
        assert ("four" in seen[0].text) is shown
        assert (tags in seen[1].text) is shown and (tags in seen[2].text) is shown
        assert seen[3].data["rows"] == int(shown)

    def test_a_sender_calls_himself_what_he_likes_and_the_address_tells(self, tmp_path: Path) -> None:
        mail = [{"from": "ann@m1ll.example", "name": "Ann Reed", "subject": "Urgent"}]
        (listed, shown, answered), after = day(
            opening(tmp_path, desks=DESKS, mail=mail),
            ("list_mail", {"folder": "inbox"}),
            ("read_mail", {"id": 1}),
            ("send_mail", {"to": "Ann Reed <ann@m1ll.example>", "subject": "Re: Urgent", "body": "?", "reply_to": 1}),
        )
        assert "Ann Reed | Urgent" in listed.text
        assert shown.text.splitlines()[0] == "From: Ann Reed <ann@m1ll.example>"
        assert answered.data["strangers"] == ["ann@m1ll.example"]
        assert after["mail"][0]["from"] == "ann@m1ll.example"
