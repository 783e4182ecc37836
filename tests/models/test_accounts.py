"""Places at an account: found by trying, given in order, paused together, never lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from models.calling import ask, at, request, with_model
from models.openai_server import MockOpenAI, rate_limited, reply

from harness.models import Account, Accounts
from harness.models.accounts import START, Place
from harness.models.remote import LiteLLMModel


def run(main: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(main(), 20)

    asyncio.run(bounded())


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def fill(account: Account) -> list[Place]:
    """Takes all places there are."""
    return [await account.enter(account.ticket()) for _ in range(int(account.limit) - account.running)]


async def round_of_calls(account: Account) -> None:
    """Uses every place once, with success."""
    for place in await fill(account):
        account.leave(place, succeeded=True)


def test_the_limit_doubles_per_round_until_the_first_429_then_grows_by_one() -> None:
    async def main() -> None:
        account = Account("a")
        assert account.limit == START
        waiters = [asyncio.create_task(account.enter(account.ticket())) for _ in range(100)]
        await settle()
        for place in [w.result() for w in waiters if w.done()]:
            account.leave(place, succeeded=True)
        assert account.limit == 2 * START
        for waiter in waiters:
            waiter.cancel()
        await asyncio.gather(*waiters, return_exceptions=True)
        account.running = 0
        place = (await fill(account))[0]
        account.throttle(place, None)
        assert account.limit == START
        account.running = 0
        await round_of_calls_held_back(account)
        assert START + 0.9 < account.limit <= START + 1

    async def round_of_calls_held_back(account: Account) -> None:
        places = await fill(account)
        waiters = [asyncio.create_task(account.enter(account.ticket())) for _ in range(50)]
        await settle()
        for place in places:
            account.leave(place, succeeded=True)
        for waiter in waiters:
            waiter.cancel()
        await asyncio.gather(*waiters, return_exceptions=True)

    run(main)


def test_a_limit_that_holds_nobody_back_does_not_grow() -> None:
    async def main() -> None:
        account = Account("a")
        for _ in range(50):
            account.leave(await account.enter(account.ticket()), succeeded=True)
        assert account.limit == START

    run(main)


def test_one_round_of_429s_halves_once() -> None:
    async def main() -> None:
        account = Account("a", cap=16)
        places = await fill(account)
        for place in places:
            account.throttle(place, None)
            account.leave(place)
        assert account.limit == 8
        later = await account.enter(account.ticket())
        account.throttle(later, None)
        assert account.limit == 4
        for _ in range(10):
            account.throttle(Place(0, account.throttles), None)
        assert account.limit == 1

    run(main)


def test_a_cap_is_never_passed_and_the_smallest_holds() -> None:
    async def main() -> None:
        accounts = Accounts()
        account = accounts.get("a", 5)
        assert accounts.get("a", 3) is account
        assert accounts.get("a") is account
        for _ in range(20):
            places = await fill(account)
            assert len(places) == 3
            for place in places:
                account.leave(place, succeeded=True)
        assert account.limit == 3

    run(main)


def test_places_are_given_in_order_of_arrival_and_a_second_try_keeps_its_turn() -> None:
    async def main() -> None:
        account = Account("a", cap=1)
        first = account.ticket()
        held = await account.enter(first)
        order: list[int] = []

        async def call(ticket: int) -> None:
            place = await account.enter(ticket)
            order.append(ticket)
            account.leave(place)

        tasks = [asyncio.create_task(call(account.ticket())) for _ in range(5)]
        await settle()
        tasks.append(asyncio.create_task(call(first)))
        await settle()
        account.leave(held)
        await asyncio.gather(*tasks)
        assert order == [first, 1, 2, 3, 4, 5]

    run(main)


def test_a_pause_holds_all_and_ends_by_itself() -> None:
    async def main() -> None:
        account = Account("a", cap=8)
        place = await account.enter(account.ticket())
        account.throttle(place, 0.1)
        account.leave(place)
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await asyncio.gather(*(account.enter(account.ticket()) for _ in range(4)))
        assert loop.time() - begun >= 0.09
        assert account.pause_left == 0

    run(main)


@pytest.mark.parametrize("given", [False, True])
def test_a_cancelled_waiter_loses_no_place(given: bool) -> None:
    async def main() -> None:
        account = Account("a", cap=1)
        held = await account.enter(account.ticket())
        waiter = asyncio.create_task(account.enter(account.ticket()))
        await settle()
        if given:
            account.leave(held)  # the waiter's place is granted, but it has not run yet when it is cancelled
        waiter.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiter
        if not given:
            account.leave(held)
        assert account.running == 0
        account.leave(await asyncio.wait_for(account.enter(account.ticket()), 1))
        assert account.running == 0

    run(main)


def test_models_of_one_account_share_its_places(server: MockOpenAI) -> None:
    accounts = Accounts()
    server.default = reply(delay=0.05)

    async def use(model: LiteLLMModel) -> None:
        other = LiteLLMModel(at(server, "openai/other", account="mine"), parameters={}, accounts=accounts)
        await asyncio.gather(*(m.complete(request()) for m in (model, other) for _ in range(4)))
        await other.close()
        assert (await model.complete(request())).message["content"] == "ok", "one model's close leaves the others open"

    with_model(at(server, account="mine", concurrency=3), use, accounts=accounts)
    assert [account.name for account in accounts.all()] == ["mine"]
    assert server.at_once == 3
    assert len(server.seen) == 9


def test_accounts_are_told_apart_by_provider_and_address(server: MockOpenAI) -> None:
    accounts = Accounts()
    for entry in (at(server), at(server, "openai/b"), at(server, "hosted_vllm/b")):
        ask(entry, accounts=accounts)
    assert [account.name for account in accounts.all()] == [f"openai {server.url}", f"hosted_vllm {server.url}"]


def test_concurrency_backs_off_where_the_server_says_so(server: MockOpenAI) -> None:
    accounts = Accounts()
    server.then(*(rate_limited(0.02) for _ in range(3)))

    async def use(model: LiteLLMModel) -> None:
        replies = await asyncio.gather(*(model.complete(request()) for _ in range(24)))
        assert sum(len(got.receipt.attempts) for got in replies) == 3
        assert len(server.seen) == 27

    with_model(at(server), use, accounts=accounts)
    (account,) = accounts.all()
    assert account.throttles >= 1
    assert account.running == 0
    assert server.at_once <= 8
