"""The kind `office`: mail, calendar, contacts and files as an office worker has them."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from harness.environments import EnvironmentFault, Observation, Opening
from harness.environments.office import Office, OfficeOptions, OfficeReader, OfficeSetup

HOUSE: dict[str, Any] = {
    "user": "kit@mill.example",
    "now": "2026-03-02 09:00",
    "people": [
        {"name": "Ann Reed", "email": "ann@mill.example"},
        {"name": "Ann Poe", "email": "apoe@mill.example"},
        {"name": "Ben Hale", "email": "Ben@Mill.example"},
    ],
    "mail": [
        {"from": "Ann Reed", "subject": "Tea", "body": "In the oak room.", "at": "2026-03-01 08:00"},
        {"from": "news@post.example", "subject": "News", "at": "2026-02-01 08:00", "unread": False},
    ],
    "events": [
        {"title": "Team", "start": "2026-03-03 10:00", "end": "2026-03-03 11:00", "attendees": ["Ann Reed"]},
        {"title": "Board", "start": "2026-03-03 14:00", "end": "2026-03-03 15:00", "organizer": "Ben Hale",
         "attendees": ["kit@mill.example"]},
    ],
    "files": {"notes/rooms.txt": "oak: 12\n"},
    "folders": ["news"],
}  # fmt: skip


def opening(scratch: Path, setup: dict[str, Any] | None = None, **options: Any) -> Opening:
    chosen = OfficeOptions.model_validate({**HOUSE, **options})
    return Opening(chosen, OfficeSetup.model_validate(setup or {}), ("worker",), 3, scratch)


def day(opening: Opening, *calls: tuple[str, dict[str, Any]]) -> tuple[list[Observation], dict[str, Any]]:
    """What is observed in a day's work, and the office after it."""

    async def whole() -> tuple[list[Observation], dict[str, Any]]:
        office = await Office.open(opening)
        try:
            seen = [await office.call("worker", tool, arguments) for tool, arguments in calls]
            state = await office.final_state()
        finally:
            await office.close()
        reader = await Office.read_state(state, opening)
        try:
            return seen, await reader.as_data()
        finally:
            await reader.close()

    return asyncio.run(whole())


def read(opening: Opening, work: Callable[[OfficeReader], Any], *calls: tuple[str, dict[str, Any]]) -> Any:
    async def whole() -> Any:
        office = await Office.open(opening)
        for tool, arguments in calls:
            await office.call("worker", tool, arguments)
        state = await office.final_state()
        await office.close()
        reader = await Office.read_state(state, opening)
        try:
            return await work(reader)
        finally:
            await reader.close()

    return asyncio.run(whole())


class TestMail:
    def test_a_folder_is_listed_latest_first(self, tmp_path: Path) -> None:
        (seen, unread, empty), _ = day(
            opening(tmp_path),
            ("list_mail", {"folder": "inbox"}),
            ("list_mail", {"folder": "inbox", "unread_only": True}),
            ("list_mail", {"folder": "archive"}),
        )
        assert seen.text.splitlines() == [
            "id | sent | from | subject | state",
            "1 | 2026-03-01 08:00 | Ann Reed | Tea | unread",
            "2 | 2026-02-01 08:00 | news@post.example | News | ",
        ]
        assert unread.data["rows"] == 1
        assert empty.text == "There is no mail in archive."

    def test_a_mail_is_read_whole_and_stays_unread(self, tmp_path: Path) -> None:
        (seen,), after = day(opening(tmp_path), ("read_mail", {"id": 1}))
        assert seen.text.splitlines() == [
            "From: Ann Reed <ann@mill.example>", "To: you <kit@mill.example>", "Sent: 2026-03-01 08:00",
            "Subject: Tea", "", "In the oak room.",
        ]  # fmt: skip
        assert after["mail"][0]["unread"] is True

    def test_search_looks_at_sender_subject_and_body(self, tmp_path: Path) -> None:
        seen, _ = day(opening(tmp_path), *(("search_mail", {"text": text}) for text in ("OAK", "reed", "news", "%")))
        assert [one.data["rows"] for one in seen] == [1, 1, 1, 0]

    def test_sent_mail_is_recorded_and_answers_what_it_answers(self, tmp_path: Path) -> None:
        (seen,), after = day(
            opening(tmp_path),
            ("send_mail", {"to": "Ann Reed; ben@mill.example", "subject": "Re: Tea", "body": "Good.", "reply_to": 1}),
        )
        assert seen.text == "Sent to Ann Reed, Ben Hale as mail 3."
        assert after["sent"] == [
            {"id": 3, "folder": "sent", "from": "kit@mill.example", "to": ["ann@mill.example", "ben@mill.example"],
             "subject": "Re: Tea", "body": "Good.", "at": "2026-03-02 09:00:00", "unread": False, "reply_to": 1}
        ]  # fmt: skip
        assert after["mail"][0]["unread"] is False
        assert len(after["mail"]) == 2

    def test_a_stranger_may_be_written_to_and_that_is_told(self, tmp_path: Path) -> None:
        (seen,), after = day(opening(tmp_path), ("send_mail", {"to": "x@out.example", "subject": "", "body": ""}))
        assert seen.text.endswith("Note: not in the contacts: x@out.example.")
        assert seen.data["strangers"] == ["x@out.example"]
        assert after["sent"][0]["to"] == ["x@out.example"]

    @pytest.mark.parametrize(
        ("to", "reason"),
        [
            ("Zoe", "nobody called 'Zoe'"),
            ("ann", "several called 'ann': ann@mill.example, apoe@mill.example"),
            ("a b@c", "no mail address"),
            (" , ", "nobody to go to"),
            ("Ann Reed, Zoe", "nobody called 'Zoe'"),
        ],
    )
    def test_whom_it_cannot_go_to_is_said_and_nothing_is_sent(self, tmp_path: Path, to: str, reason: str) -> None:
        (seen,), after = day(opening(tmp_path), ("send_mail", {"to": to, "subject": "x", "body": "y", "reply_to": 1}))
        assert seen.error and reason in seen.text
        assert after["sent"] == [] and after["mail"][0]["unread"] is True

    def test_mail_moves_between_folders_that_are_there(self, tmp_path: Path) -> None:
        (moved, wrong, unknown), after = day(
            opening(tmp_path),
            ("move_mail", {"id": 2, "folder": "news"}),
            ("move_mail", {"id": 1, "folder": "nowhere"}),
            ("move_mail", {"id": 9, "folder": "trash"}),
        )
        assert moved.text == "Moved mail 2 'News' from inbox to news."
        assert wrong.text == "Error: There is no folder 'nowhere'; there are inbox, sent, archive, trash, news."
        assert unknown.text == "Error: There is no mail 9; list_mail shows what there is."
        assert [mail["folder"] for mail in after["mail"]] == ["inbox", "news"]

    def test_contacts_are_found_by_part_of_a_name(self, tmp_path: Path) -> None:
        (seen, none), _ = day(opening(tmp_path), ("find_contact", {"name": "ann"}), ("find_contact", {"name": "zoe"}))
        assert seen.text.splitlines()[1:] == ["Ann Poe | apoe@mill.example", "Ann Reed | ann@mill.example"]
        assert not none.error


class TestCalendar:
    def test_events_are_listed_for_oneself_and_for_others(self, tmp_path: Path) -> None:
        (mine, theirs, none), _ = day(
            opening(tmp_path),
            ("list_events", {"from": "2026-03-03", "to": "2026-03-03"}),
            ("list_events", {"from": "2026-03-02", "to": "2026-03-06", "person": "Ben Hale"}),
            ("list_events", {"from": "2026-03-04", "to": "2026-03-06"}),
        )
        assert mine.text.splitlines() == [
            "id | time | title | location | with",
            "1 | 2026-03-03 10:00-11:00 | Team |  | Ann Reed",
            "2 | 2026-03-03 14:00-15:00 | Board |  | Ben Hale",
        ]
        assert theirs.text.splitlines()[1:] == ["2 | 2026-03-03 14:00-15:00 | Board |  | you"]
        assert none.text == "You have no events from 2026-03-04 to 2026-03-06."

    def test_attendees_of_a_new_event_are_invited_and_clashes_told(self, tmp_path: Path) -> None:
        (seen,), after = day(
            opening(tmp_path),
            ("create_event", {"title": "Plan", "start": "2026-03-03T10:30", "end": "2026-03-03 14:30",
                              "attendees": "Ann Reed, Ben Hale", "location": "oak"}),
        )  # fmt: skip
        assert seen.text == (
            "Event 3 'Plan' is set for 2026-03-03 10:30-14:30. Invited: Ann Reed, Ben Hale. Note: this clashes with "
            "event 1 'Team', 2026-03-03 10:00-11:00 (you, Ann Reed); "
            "event 2 'Board', 2026-03-03 14:00-15:00 (you, Ben Hale)."
        )
        assert seen.data == {"id": 3, "clashes": [1, 2]}
        assert after["invitations"] == [
            {"event": 3, "to": "ann@mill.example", "kind": "invited"},
            {"event": 3, "to": "ben@mill.example", "kind": "invited"},
        ]
        assert after["events"][2]["attendees"] == ["ann@mill.example", "ben@mill.example"]

    def test_events_that_touch_do_not_clash(self, tmp_path: Path) -> None:
        (seen,), _ = day(
            opening(tmp_path), ("create_event", {"title": "x", "start": "2026-03-03 11:00", "end": "2026-03-03 14:00"})
        )
        assert seen.data["clashes"] == []

    @pytest.mark.parametrize(
        ("start", "end", "reason"),
        [
            ("2026-03-03 10:00", "2026-03-03 09:00", "would end (2026-03-03 09:00) before it starts"),
            ("2026-03-03 10:00", "2026-03-03 10:00", "before it starts"),
            ("2026-03-01 10:00", "2026-03-01 11:00", "has passed; it is 2026-03-02 09:00 now"),
            ("tomorrow", "2026-03-03 10:00", "'tomorrow' is no date and time; write"),
            ("2026-03-03 10:00+02:00", "2026-03-03 11:00", "time zone"),
            ("2026-02-30 10:00", "2026-03-03 11:00", "no date and time"),
            ("2026-03-03 10:00", "2027-03-03 11:00", "31 days at most"),
        ],
    )
    def test_times_that_make_no_sense_are_refused(self, tmp_path: Path, start: str, end: str, reason: str) -> None:
        (seen,), after = day(opening(tmp_path), ("create_event", {"title": "x", "start": start, "end": end}))
        assert seen.error and reason in seen.text
        assert len(after["events"]) == 2

    def test_moving_the_start_keeps_the_length_and_tells_the_attendees(self, tmp_path: Path) -> None:
        (moved, swapped), after = day(
            opening(tmp_path),
            ("update_event", {"id": 1, "start": "2026-03-04 15:00"}),
            ("update_event", {"id": 1, "attendees": "Ben Hale"}),
        )
        assert moved.text == "Event 1 'Team' is now set for 2026-03-04 15:00-16:00."
        assert not swapped.error
        assert [(one["to"], one["kind"]) for one in after["invitations"]] == [
            ("ann@mill.example", "changed"), ("ben@mill.example", "invited"), ("ann@mill.example", "cancelled"),
        ]  # fmt: skip

    def test_a_cancelled_event_is_over_and_done_with(self, tmp_path: Path) -> None:
        (seen, twice, listed), after = day(
            opening(tmp_path),
            ("cancel_event", {"id": 1}),
            ("cancel_event", {"id": 1}),
            ("list_events", {"from": "2026-03-03", "to": "2026-03-03"}),
        )
        assert seen.text == "Event 1 'Team' is cancelled. Told: Ann Reed."
        assert twice.error
        assert listed.data["rows"] == 1
        assert after["events"][0]["cancelled"] is True

    def test_only_the_organiser_changes_an_event(self, tmp_path: Path) -> None:
        seen, _ = day(opening(tmp_path), ("cancel_event", {"id": 2}), ("update_event", {"id": 2, "title": "Mine"}))
        assert all(one.text == "Error: Event 2 was called by Ben Hale; only they can change it." for one in seen)

    @pytest.mark.parametrize("days", [("2026-03-04", "2026-03-03"), ("soon", "2026-03-03"), ("9999-12-31", "1-1-1")])
    def test_days_that_are_none_are_refused(self, tmp_path: Path, days: tuple[str, str]) -> None:
        (seen,), _ = day(opening(tmp_path), ("list_events", {"from": days[0], "to": days[1]}))
        assert seen.error

    def test_the_end_of_time_is_no_trouble(self, tmp_path: Path) -> None:
        calls = [
            ("list_events", {"from": "2026-03-04", "to": "9999-12-31"}),
            ("create_event", {"title": "x", "start": "9999-12-31 22:00", "end": "9999-12-31 23:00"}),
            ("update_event", {"id": 1, "start": "9999-12-31 23:59"}),
        ]
        seen, _ = day(opening(tmp_path), *calls)
        assert [one.error for one in seen] == [False, False, True]


class TestFiles:
    def test_files_are_listed_read_and_written(self, tmp_path: Path) -> None:
        (listed, shown, wrote, replaced), after = day(
            opening(tmp_path),
            ("list_files", {}),
            ("read_file", {"path": "notes/rooms.txt"}),
            ("write_file", {"path": "new.txt", "content": "a"}),
            ("write_file", {"path": "new.txt", "content": "bc"}),
        )
        assert listed.text == "path | characters\nnotes/rooms.txt | 8"
        assert shown.text == "oak: 12\n"
        assert (wrote.text, replaced.text) == ("Wrote new.txt, 1 characters.", "Replaced new.txt, 2 characters.")
        assert after["files"] == {"new.txt": "bc", "notes/rooms.txt": "oak: 12\n"}

    @pytest.mark.parametrize(
        "path", ["../x", "/etc/passwd", "a//b", "", "notes", "notes/rooms.txt/x", "a\nb", "." * 300]
    )
    def test_paths_that_are_none_are_refused(self, tmp_path: Path, path: str) -> None:
        (read_, written), after = day(
            opening(tmp_path), ("read_file", {"path": path}), ("write_file", {"path": path, "content": "x"})
        )
        assert read_.error and written.error
        assert list(after["files"]) == ["notes/rooms.txt"]

    def test_long_contents_are_cut_for_the_model_only(self, tmp_path: Path) -> None:
        house = opening(tmp_path, files={"long.txt": "x" * 9000}, characters=300)
        (seen,), after = day(house, ("read_file", {"path": "long.txt"}))
        assert seen.text == "x" * 300 + "... (cut: 9000 characters in all)"
        assert len(after["files"]["long.txt"]) == 9000


class TestFurnishing:
    def test_contents_come_from_a_file_the_options_and_the_task(self, tmp_path: Path) -> None:
        (tmp_path / "office.yaml").write_text(
            "people:\n  - {name: Cy Dunn, email: cy@mill.example}\n"
            "mail:\n  - {id: 40, from: Cy Dunn, subject: From the file}\n"
        )
        (tmp_path / "folder" / "deep").mkdir(parents=True)
        (tmp_path / "folder" / "deep" / "a.txt").write_text("from the folder")
        house = opening(
            tmp_path,
            {"mail": [{"from": "Cy Dunn", "subject": "From the task"}]},
            contents=str(tmp_path / "office.yaml"),
            folder=str(tmp_path / "folder"),
        )
        _, after = day(house)
        assert [(mail["id"], mail["subject"]) for mail in after["mail"]] == [
            (40, "From the file"), (41, "Tea"), (42, "News"), (43, "From the task"),
        ]  # fmt: skip
        assert after["files"]["deep/a.txt"] == "from the folder"

    def test_what_is_wrong_in_a_file_is_told_with_its_place(self, tmp_path: Path) -> None:
        (tmp_path / "office.yaml").write_text("mail:\n  - {from: a@b.example, subjet: x}\n  - {subject: y}\n")
        with pytest.raises(EnvironmentFault, match=r"office\.yaml:2:\d+: .*subjet[^$]*office\.yaml:3:\d+: .*from"):
            day(opening(tmp_path, contents=str(tmp_path / "office.yaml")))

    @pytest.mark.parametrize(
        ("options", "reason"),
        [
            ({"mail": [{"from": "Zoe", "subject": "x"}]}, "mail 'x': nobody called 'Zoe'"),
            ({"mail": [{"id": 1, "from": "a@b.example"}, {"id": 1, "from": "a@b.example"}]}, "id 1 is given twice"),
            ({"mail": [{"from": "a@b.example", "folder": "nowhere"}]}, "no folder 'nowhere'"),
            ({"mail": [{"from": "a@b.example", "reply_to": 5}]}, "no mail 5"),
        ],
    )
    def test_what_does_not_fit_together_is_a_fault(self, tmp_path: Path, options: dict[str, Any], reason: str) -> None:
        with pytest.raises(EnvironmentFault, match=reason):
            day(opening(tmp_path, **options))

    @pytest.mark.parametrize(
        "options",
        [
            {"user": "kit"},
            {"now": "monday"},
            {"events": [{"title": "x", "start": "2026-03-03 10:00", "end": "2026-03-03 09:00"}]},
            {"files": {"../x": "y"}},
            {"people": [{"name": "A", "email": "no address"}]},
            {"folders": ["Bad/Name"]},
            {"mail": [{"subject": "from nobody"}]},
            {"mails": []},
        ],
    )
    def test_options_that_are_wrong_are_refused_before_opening(self, tmp_path: Path, options: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            opening(tmp_path, **options)


class TestFinalState:
    def test_the_tables_can_be_queried_and_files_read(self, tmp_path: Path) -> None:
        async def look(reader: OfficeReader) -> None:
            assert await reader.query("SELECT address FROM recipients WHERE mail = 3") == [["ann@mill.example"]]
            assert await reader.query("SELECT user, now FROM office") == [["kit@mill.example", "2026-03-02 09:00:00"]]
            assert await reader.read_file("notes/rooms.txt") == "oak: 12\n"
            assert await reader.read_file("nothing.txt") is None
            assert await reader.read_file("../x") is None
            with pytest.raises(ValueError, match="only reads"):
                await reader.query("DELETE FROM mail")
            with pytest.raises(NotImplementedError, match="office"):
                await reader.run("ls", {}, 1.0)

        read(opening(tmp_path), look, ("send_mail", {"to": "Ann Reed", "subject": "x", "body": "y"}))

    def test_the_documented_tables_are_there(self, tmp_path: Path) -> None:
        from harness.environments.office import tables

        async def look(reader: OfficeReader) -> list[str]:
            found = await reader.query("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
            return [str(name) for (name,) in found]

        documented = [line.split("`")[1] for line in (tables.__doc__ or "").splitlines() if line.startswith("| `")]
        assert read(opening(tmp_path), look) == sorted(documented)
