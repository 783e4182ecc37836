"""Tickets and documents of an office."""

from pathlib import Path
from typing import Any, ClassVar

import pytest
from environments.office_parts import Call, day, opening, read, trial

from harness.environments import EnvironmentFault
from harness.environments.office import Office, OfficeReader

TICKETS: list[dict[str, Any]] = [
    {"title": "Lamp in the hall", "body": "It is dark.", "by": "Ann Reed", "assignee": "Ben Hale",
     "at": "2026-02-27 08:00",
     "comments": [{"by": "Ben Hale", "text": "New one ordered.", "at": "2026-02-28 09:00"}]},
    {"id": 7, "title": "Door", "state": "closed", "priority": "high"},
]  # fmt: skip
DOCUMENTS: dict[str, Any] = {
    "rules.md": {
        "revisions": [
            {"text": "The door is locked at eight.\nNo smoking.\n", "by": "Ann Reed", "at": "2026-01-05 09:00"},
            {"text": "The door is locked at nine.\nNo smoking.\n", "at": "2026-02-01 09:00", "note": "later in spring"},
        ]
    },
    "long.md": "\n".join(f"Line {number} of the long text." for number in range(1, 101)),
}


class TestTickets:
    def test_they_are_listed_and_read(self, tmp_path: Path) -> None:
        (all_, closed, mine, whole, none), _ = day(
            opening(tmp_path, desks=["tickets"], tickets=TICKETS),
            ("list_tickets", {}),
            ("list_tickets", {"state": "closed"}),
            ("list_tickets", {"assignee": "Ben Hale"}),
            ("read_ticket", {"id": 1}),
            ("list_tickets", {"state": "pending"}),
        )
        assert all_.text.splitlines() == [
            "id | title | state | priority | assignee", "1 | Lamp in the hall | open | normal | Ben Hale",
            "7 | Door | closed | high | nobody",
        ]  # fmt: skip
        assert [one.data["rows"] for one in (closed, mine, none)] == [1, 1, 0]
        assert whole.text.splitlines() == [
            "Ticket 1: Lamp in the hall", "State: open. Priority: normal. Assignee: Ben Hale.",
            "Opened by Ann Reed, 2026-02-27 08:00.", "", "It is dark.", "",
            "2026-02-28 09:00 Ben Hale: New one ordered.",
        ]  # fmt: skip

    def test_what_becomes_of_them_is_kept(self, tmp_path: Path) -> None:
        seen, after = day(
            opening(tmp_path, desks=["tickets"], tickets=TICKETS),
            ("comment_ticket", {"id": 1, "text": "It is there."}),
            ("update_ticket", {"id": 1, "state": "closed", "assignee": "me", "priority": "normal"}),
            ("open_ticket", {"title": "Roof", "priority": "urgent", "assignee": "Ann Reed"}),
            ("read_ticket", {"id": 1}),
            ("update_ticket", {"id": 7, "assignee": "", "state": "closed"}),
        )
        assert [one.text for one in seen[:3]] == [
            "Your comment is on ticket 1.", "Ticket 1 now has state closed, assignee you.", "Opened ticket 8 'Roof'.",
        ]  # fmt: skip
        assert seen[3].text.splitlines()[-3:] == [
            "2026-03-02 09:00 you: It is there.", "2026-03-02 09:00 you set state from open to closed",
            "2026-03-02 09:00 you set assignee from Ben Hale to you",
        ]  # fmt: skip
        assert seen[4].text == "Ticket 7 is like that already."
        first = after["tickets"][0]
        assert (first["state"], first["assignee"], first["by"]) == ("closed", "kit@mill.example", "ann@mill.example")
        assert [one["written_now"] for one in first["comments"]] == [False, True]
        assert [one["field"] for one in first["history"]] == ["state", "assignee"]

    @pytest.mark.parametrize(
        "call",
        [
            ("read_ticket", {"id": 9}),
            ("comment_ticket", {"id": 9, "text": "x"}), ("comment_ticket", {"id": 1, "text": " "}),
            ("update_ticket", {"id": 1}), ("update_ticket", {"id": 1, "assignee": "Zoe"}),
            ("update_ticket", {"id": 1, "state": "closed", "title": " "}), ("open_ticket", {"title": " "}),
        ],
    )  # fmt: skip
    def test_what_goes_wrong_changes_nothing(self, tmp_path: Path, call: Call) -> None:
        house = opening(tmp_path, desks=["tickets"], tickets=TICKETS)
        (seen,), after = day(house, call)
        assert seen.error and after == day(house)[1]

    def test_a_role_does_what_it_may(self, tmp_path: Path) -> None:
        house = opening(
            tmp_path, ("reader", "speaker", "head"), desks=["tickets"], tickets=TICKETS,
            rights={"reader": "read", "speaker": "comment"},
        )  # fmt: skip
        offered = {role: [tool.name for tool in Office.tools(house.options, role)] for role in house.roles}
        assert offered["reader"] == ["list_tickets", "read_ticket"]
        assert offered["speaker"] == ["list_tickets", "read_ticket", "comment_ticket"]
        assert len(offered["head"]) == 5

        async def work(office: Office) -> list[bool]:
            calls = [("comment_ticket", {"id": 1, "text": "x"}), ("update_ticket", {"id": 1, "state": "closed"})]
            return [(await office.call(role, *call)).error for role in house.roles for call in calls]

        assert trial(house, work)[0] == [True, True, False, True, False, False]


class TestDocuments:
    DESKS: ClassVar[list[str]] = ["documents"]

    def test_they_are_read_as_they_are_and_as_they_were(self, tmp_path: Path) -> None:
        (listed, now, before, history), _ = day(
            opening(tmp_path, desks=self.DESKS, documents=DOCUMENTS),
            ("list_documents", {}),
            ("read_document", {"path": "rules.md"}),
            ("read_document", {"path": "rules.md", "revision": 1}),
            ("document_history", {"path": "rules.md"}),
        )
        assert listed.text.splitlines()[2] == "rules.md | 2 | 2026-02-01 09:00 | you | 40"
        assert (now.text, before.text.splitlines()[0]) == (
            "The door is locked at nine.\nNo smoking.", "The door is locked at eight.",
        )  # fmt: skip
        assert history.text.splitlines()[1:] == [
            "2 | 2026-02-01 09:00 | you | later in spring | 40", "1 | 2026-01-05 09:00 | Ann Reed |  | 41",
        ]  # fmt: skip

    def test_a_long_one_is_read_in_pages(self, tmp_path: Path) -> None:
        (first, second, beyond), _ = day(
            opening(tmp_path, desks=self.DESKS, documents=DOCUMENTS, characters=300),
            ("read_document", {"path": "long.md"}),
            ("read_document", {"path": "long.md", "from_line": 12}),
            ("read_document", {"path": "long.md", "from_line": 101}),
        )
        assert first.text.splitlines()[-2:] == ["Line 11 of the long text.", "(89 more lines; read on from_line 12)"]
        assert second.text.startswith("Line 12 of")
        assert beyond.error

    def test_every_change_is_a_revision(self, tmp_path: Path) -> None:
        seen, after = day(
            opening(tmp_path, desks=self.DESKS, documents=DOCUMENTS),
            ("append_to_document", {"path": "rules.md", "text": "No dogs."}),
            ("replace_in_document", {"path": "rules.md", "passage": "at nine", "text": "at ten"}),
            ("create_document", {"path": "new.md", "text": "a"}),
            ("append_to_document", {"path": "new.md", "text": "b"}),
        )
        assert not any(one.error for one in seen)
        assert after["documents"]["rules.md"]["text"] == "The door is locked at ten.\nNo smoking.\nNo dogs."
        assert [one["written_now"] for one in after["documents"]["rules.md"]["revisions"]] == [False, False, True, True]
        assert after["documents"]["new.md"]["text"] == "a\nb"

    @pytest.mark.parametrize(
        ("call", "reason"),
        [
            (("read_document", {"path": "absent"}), "no document 'absent'"),
            (("read_document", {"path": "rules.md", "revision": 3}), "no revision 3; the latest is 2"),
            (("replace_in_document", {"path": "rules.md", "passage": "at eight", "text": ""}), "not in rules.md"),
            (("replace_in_document", {"path": "rules.md", "passage": "o", "text": ""}), "5 times in rules.md"),
            (("create_document", {"path": "rules.md", "text": ""}), "already"),
            (("create_document", {"path": "../x", "text": ""}), "no path"),
        ],
    )
    def test_what_goes_wrong_is_said_and_changes_nothing(self, tmp_path: Path, call: Call, reason: str) -> None:
        house = opening(tmp_path, desks=self.DESKS, documents=DOCUMENTS)
        (seen,), after = day(house, call)
        assert seen.error and reason in seen.text, seen.text
        assert after == day(house)[1]

    def test_checks_read_the_latest_revision(self, tmp_path: Path) -> None:
        async def look(reader: OfficeReader) -> str | None:
            return await reader.read_file("rules.md")

        call = ("append_to_document", {"path": "rules.md", "text": "End."})
        found = read(opening(tmp_path, desks=self.DESKS, documents=DOCUMENTS), look, call)
        assert found.endswith("End.")

    def test_revisions_out_of_order_are_a_fault(self, tmp_path: Path) -> None:
        revisions = list(reversed(DOCUMENTS["rules.md"]["revisions"]))
        with pytest.raises(EnvironmentFault, match="older than the one before"):
            day(opening(tmp_path, documents={"x": {"revisions": revisions}}))
