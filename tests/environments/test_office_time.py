"""Time in an office: a clock that moves by rule, mail that arrives, correspondents who answer, several mailboxes."""

import asyncio
from pathlib import Path
from typing import Any, ClassVar

import pytest
from environments.office_parts import day, opening, trial
from pydantic import ValidationError

from harness.environments import EnvironmentFault
from harness.environments.office import Office

DESKS = ["mail", "attachments", "calendar", "contacts", "tickets", "clock"]
LATE: dict[str, Any] = {
    "mail": [
        {"from": "Ann Reed", "subject": "Early", "at": "2026-03-01 08:00"},
        {"from": "Ann Reed", "subject": "Before nine", "arrives": "2026-03-02 08:59"},
        {"from": "Ben Hale", "subject": "Second", "arrives": "2026-03-02 10:15"},
        {"id": 50, "from": "Ann Reed", "subject": "First", "arrives": "2026-03-02 09:30", "reply_to": 1},
    ],
    "events": [{"title": "Tea", "start": "2026-03-03 10:00", "end": "2026-03-03 11:00", "organizer": "Ann Reed",
                "attendees": ["kit@mill.example"], "arrives": "2026-03-02 09:40"}],
    "tickets": [
        {"title": "Lamp", "by": "Ann Reed",
         "comments": [{"by": "Ben Hale", "text": "Still.", "arrives": "2026-03-02 09:45"}]},
        {"title": "Door", "by": "Ben Hale", "arrives": "2026-03-02 09:50",
         "comments": [{"by": "Ben Hale", "text": "Soon."}]},
    ],
}  # fmt: skip


class TestTheClock:
    def test_it_stands_still_unless_time_is_asked_to_pass(self, tmp_path: Path) -> None:
        (seen,), after = day(opening(tmp_path, **LATE), ("list_mail", {"folder": "inbox"}))
        assert seen.text.splitlines()[1:] == [
            "2 | 2026-03-02 08:59 | Ann Reed | Before nine | unread",
            "1 | 2026-03-01 08:00 | Ann Reed | Early | unread",
        ]  # fmt: skip
        assert after["clock"] == after["now"] == "2026-03-02 09:00:00"

    def test_calls_take_time_and_tell_the_hour_and_what_arrives(self, tmp_path: Path) -> None:
        seen, after = day(
            opening(tmp_path, minutes_per_call=20, **LATE),
            ("find_contact", {"name": "ann"}),
            ("read_mail", {"id": 99}),
            ("find_contact", {"name": "ann"}),
            ("find_contact", {"name": "ann"}),
        )
        assert [one.text.splitlines()[-1] for one in seen] == [
            "[2026-03-02 09:20]",
            "Error: There is no mail 99; list_mail shows what there is.",
            "[2026-03-02 09:40; new: mail 50 from Ann Reed: First; invitation from Ann Reed to event 1 'Tea', "
            "2026-03-03 10:00-11:00]",
            "[2026-03-02 10:00; new: comment on ticket 1 from Ben Hale; ticket 2 'Door' from Ben Hale; "
            "comment on ticket 2 from Ben Hale]",
        ]
        assert after["clock"] == "2026-03-02 10:00:00" and after["now"] == "2026-03-02 09:00:00"
        assert [mail["id"] for mail in after["mail"]] == [1, 2, 50]
        assert after["mail"][2]["reply_to"] == 1
        assert after["tickets"][1]["comments"][0]["at"] == "2026-03-02 09:50:00"

    def test_tools_that_take_time_are_said_to_change_the_state(self, tmp_path: Path) -> None:
        passing = Office.tools(opening(tmp_path, minutes_per_call=1).options, "worker")
        standing = Office.tools(opening(tmp_path).options, "worker")
        assert all(tool.changes_state for tool in passing) and not all(tool.changes_state for tool in standing)
        assert [tool.parameters for tool in passing] == [tool.parameters for tool in standing]

    def test_waiting_brings_what_is_due_in_order(self, tmp_path: Path) -> None:
        seen, after = day(
            opening(tmp_path, desks=DESKS, **LATE),
            ("wait", {"until": "9:30"}),
            ("send_mail", {"to": "Ann Reed", "subject": "x", "body": "y"}),
            ("wait", {"until": "2026-03-02 12:00"}),
        )
        assert seen[0].text == "You waited.\n[2026-03-02 09:30; new: mail 50 from Ann Reed: First]"
        assert seen[2].text.splitlines()[1].endswith("mail 52 from Ben Hale: Second]")
        assert after["sent"][0]["at"] == "2026-03-02 09:30:00" and after["sent"][0]["id"] == 51

    @pytest.mark.parametrize(
        ("until", "reason"),
        [
            ("08:00", "has passed; it is 2026-03-02 09:00 now"),
            ("09:00", "has passed"),
            ("17:01", "closes at 2026-03-02 17:00"),
            ("soon", "no date and time"),
            ("25:00", "no date and time"),
            ("2026-03-02 10:00+02:00", "time zone"),
        ],
    )
    def test_waiting_has_its_bounds(self, tmp_path: Path, until: str, reason: str) -> None:
        house = opening(tmp_path, desks=DESKS, closes="2026-03-02 17:00")
        (seen,), after = day(house, ("wait", {"until": until}))
        assert seen.error and reason in seen.text and after["clock"] == "2026-03-02 09:00:00"

    def test_what_arrives_is_told_once(self, tmp_path: Path) -> None:
        async def work(office: Office) -> list[str | None]:
            await office.call("worker", "wait", {"until": "09:35"})
            first = await office.news("worker")
            return [first, await office.news("worker"), await office.news("nobody")]

        news, _ = trial(opening(tmp_path, desks=DESKS, **LATE), work)
        assert news == [None, None, None]

    def test_a_snapshot_keeps_the_hour_and_what_has_yet_to_arrive(self, tmp_path: Path) -> None:
        async def work(office: Office) -> None:
            await office.call("worker", "wait", {"until": "09:35"})
            snapshot = await office.snapshot()
            seen = await office.call("worker", "wait", {"until": "11:00"})
            await office.restore(snapshot)
            assert await office.call("worker", "wait", {"until": "11:00"}) == seen

        trial(opening(tmp_path, desks=DESKS, **LATE), work)

    @pytest.mark.parametrize(
        "mail",
        [
            {"from": "Ann Reed", "arrives": "2026-03-02 10:00", "at": "2026-03-02 10:00"},
            {"from": "Ann Reed", "body": "x", "html": "y"},
        ],
    )
    def test_mail_that_makes_no_sense_is_refused(self, tmp_path: Path, mail: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            opening(tmp_path, mail=[mail])

    def test_an_id_that_is_kept_for_later_is_not_given_twice(self, tmp_path: Path) -> None:
        mail = [
            {"id": 2, "from": "Ann Reed", "arrives": "2026-03-02 10:00"},
            {"from": "Ann Reed"},
            {"from": "Ann Reed"},
        ]
        _, after = day(opening(tmp_path, mail=mail))
        assert [one["id"] for one in after["mail"]] == [1, 3]
        with pytest.raises(EnvironmentFault, match="the id 2 is given twice"):
            day(opening(tmp_path, mail=[mail[0], {"id": 2, "from": "Ann Reed"}]))


class TestCorrespondents:
    REPLIES: ClassVar[list[dict[str, Any]]] = [
        {"when": {"to": "Ann Reed", "subject_matches": "(?i)key"}, "after": "20 minutes",
         "mail": {"body": "Behind the door.", "attachments": [{"name": "map.txt", "text": "x"}]}},
        {"when": {"to": "Ann Reed"}, "mail": {"from": "Ben Hale", "subject": "Ann is away", "html": "<b>Away</b>"}},
    ]  # fmt: skip

    def test_they_answer_what_they_are_sent_when_their_time_has_come(self, tmp_path: Path) -> None:
        seen, after = day(
            opening(tmp_path, desks=DESKS, replies=self.REPLIES),
            ("send_mail", {"to": "Ann Reed", "subject": "re: The KEY", "body": "Where?"}),
            ("wait", {"until": "09:19"}),
            ("wait", {"until": "09:20"}),
            ("send_mail", {"to": "Ann Reed", "subject": "The key", "body": "Thanks."}),
            ("send_mail", {"to": "Ann Reed", "subject": "The key", "body": "Hm."}),
        )
        assert [one.text.splitlines()[-1] for one in seen] == [
            "[2026-03-02 09:00]", "[2026-03-02 09:19]", "[2026-03-02 09:20; new: mail 2 from Ann Reed: Re: The KEY]",
            "[2026-03-02 09:20; new: mail 4 from Ben Hale: Ann is away]", "[2026-03-02 09:20]",
        ]  # fmt: skip
        assert after["mail"][0]["reply_to"] == 1 and after["mail"][0]["attachments"][0]["name"] == "map.txt"
        assert after["mail"][1]["body"] == "Away"

    def test_they_do_not_answer_what_never_went_out(self, tmp_path: Path) -> None:
        seen, after = day(
            opening(tmp_path, desks=DESKS, replies=self.REPLIES),
            ("send_mail", {"to": "Ann Reed, Nobody", "subject": "key", "body": ""}),
            ("wait", {"until": "10:00"}),
        )
        assert seen[0].error and after["mail"] == []

    @pytest.mark.parametrize(
        "reply", [{"after": "soon"}, {"after": -1}, {"when": {"to": "Ann Reed", "body_matches": "("}}]
    )
    def test_rules_that_make_no_sense_are_refused(self, tmp_path: Path, reply: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            opening(tmp_path, replies=[{"when": {"to": "Ann Reed"}, "mail": {}, **reply}])


class TestSeats:
    SEATS: ClassVar[dict[str, str]] = {"clerk": "Kit Low", "head": "ann@mill.example"}

    def test_each_has_a_mailbox_and_mail_goes_from_one_to_the_other(self, tmp_path: Path) -> None:
        async def work(office: Office) -> list[Any]:
            sent = await office.call(
                "clerk", "send_mail", {"to": "Ann Reed", "cc": "Ben Hale", "subject": "Tea", "body": "?"}
            )
            news = [await office.news("clerk"), await office.news("head"), await office.news("head")]
            read = await office.call("head", "read_mail", {"id": 3})
            back = await office.call(
                "head", "send_mail", {"to": "kit", "subject": "Re: Tea", "body": "!", "reply_to": 3}
            )
            other = await office.call("head", "read_mail", {"id": 2})
            thread = await office.call("clerk", "read_thread", {"id": 5})
            return [sent.text, *news, read.text.splitlines()[:2], back.error, other.error, thread.data["rows"]]

        mail = [{"from": "Ben Hale", "to": ["Ann Reed"], "subject": "Old"}]
        house = opening(tmp_path, ("clerk", "head"), seats=self.SEATS, desks=["mail", "attachments"], mail=mail)
        found, after = trial(house, work)
        assert found == [
            "Sent to Ann Reed, with a copy to Ben Hale as mail 2.", None, "New: mail 3 from Kit Low: Tea.", None,
            ["From: Kit Low <kit@mill.example>", "To: you <ann@mill.example>"], False, True, 2,
        ]  # fmt: skip
        assert [(one["id"], one["owner"][:3], one["reply_to"]) for one in after["mail"] + after["sent"]] == [
            (1, "ann", None), (3, "ann", None), (5, "kit", 2), (2, "kit", None), (4, "ann", 3),
        ]  # fmt: skip

    def test_mail_that_arrives_comes_to_those_it_is_for(self, tmp_path: Path) -> None:
        async def work(office: Office) -> list[Any]:
            await office.call("clerk", "wait", {"until": "10:00"})
            return [await office.news("clerk"), await office.news("head")]

        to_ann = {"from": "Ben Hale", "to": ["Ann Reed"]}
        mail = [
            {**to_ann, "cc": ["Kit Low"], "subject": "All", "arrives": "2026-03-02 09:30"},
            {**to_ann, "subject": "One", "arrives": "2026-03-02 09:40"},
        ]
        house = opening(tmp_path, ("clerk", "head"), seats=self.SEATS, desks=["mail", "clock"], mail=mail)
        news, after = trial(house, work)
        assert news == [None, "New: mail 1 from Ben Hale: All; mail 3 from Ben Hale: One."]
        assert [one["owner"][:3] for one in after["mail"]] == ["ann", "kit", "ann"]

    def test_an_invitation_reaches_the_other_seat(self, tmp_path: Path) -> None:
        async def work(office: Office) -> str | None:
            event = {"title": "Tea", "start": "2026-03-03 10:00", "end": "2026-03-03 11:00", "attendees": "Ann Reed"}
            await office.call("clerk", "create_event", event)
            return await office.news("head")

        news, _ = trial(opening(tmp_path, ("clerk", "head"), seats=self.SEATS), work)
        assert news == "New: event 1 'Tea', 2026-03-03 10:00-11:00, invited by Kit Low."

    def test_without_seats_roles_share_a_desk(self, tmp_path: Path) -> None:
        async def work(office: Office) -> str:
            await office.call("a", "send_mail", {"to": "Ann Reed", "subject": "Tea", "body": "?"})
            return (await office.call("b", "list_mail", {"folder": "sent"})).text

        assert "Tea" in trial(opening(tmp_path, ("a", "b")), work)[0]

    @pytest.mark.parametrize(
        ("seats", "reason"),
        [
            ({"clerk": "Kit Low"}, "the role 'head' has no seat"),
            ({"clerk": "Kit Low", "head": "Zoe"}, "nobody called 'Zoe'"),
            ({"clerk": "Kit Low", "head": "Ann Reed", "cook": "Ben Hale"}, "there is no role 'cook'"),
        ],
    )
    def test_seats_that_do_not_fit_the_scenario_are_a_fault(
        self, tmp_path: Path, seats: dict[str, str], reason: str
    ) -> None:
        with pytest.raises(EnvironmentFault, match=reason):
            asyncio.run(Office.open(opening(tmp_path, ("clerk", "head"), seats=seats)))

    @pytest.mark.parametrize("given", [{"user": None}, {"seats": {"worker": "Ann Reed"}, "user": "kit@mill.example"}])
    def test_an_office_has_a_user_or_seats(self, tmp_path: Path, given: dict[str, Any]) -> None:
        from harness.environments.office import OfficeOptions

        with pytest.raises(ValidationError, match="one of `user`"):
            OfficeOptions.model_validate(given)
