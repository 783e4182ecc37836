"""What became of the talk about a horse: prices named, who gave way, and whether the deal was fair."""

from __future__ import annotations

import re

PRICE = re.compile(r"(?<![\w.,])(\d{1,4})(?![\w]|[.,]\d)")
BUYER, SELLER = "buyer", "seller"


def offers(state: dict, repeated: bool = False) -> list[tuple[str, int]]:
    """(role, price) of every message that names one: its last, those that the other had named left aside.

    A message of such figures only may take the other's price or turn it down (`60 is beyond me`); it names one only
    where what is `repeated` counts.
    """
    found: list[tuple[str, int]] = []
    heard: dict[str, set[int]] = {BUYER: set(), SELLER: set()}
    for said in state["conversation"]:
        figures = [int(figure) for figure in PRICE.findall(said["text"])]
        role = said["role"]
        own = [figure for figure in figures if figure not in heard[role]] or (figures if repeated else [])
        if own:
            found.append((role, own[-1]))
        heard[SELLER if role == BUYER else BUYER] |= set(own)
    return found


def prices(state: dict, role: str, repeated: bool = False) -> list[int]:
    """The prices that a role named, in order."""
    return [price for who, price in offers(state, repeated) if who == role]


def price_agreed(state: dict) -> int | None:
    """The price in the words that ended the talk with AGREED."""
    if state["ended_how"] != "AGREED" or not state["conversation"]:
        return None
    last = state["conversation"][-1]
    found = PRICE.findall(last["text"]) if last["role"] == state["ended_by"] else []
    return int(found[-1]) if found else None


def on_the_table(state: dict, answer: str, actions: list, given: dict) -> bool:
    """The price agreed to is the last one that the other had named."""
    price = price_agreed(state)
    other = SELLER if state["ended_by"] == BUYER else BUYER
    return price is not None and prices(state, other, repeated=True)[-1:] == [price]


def in_bounds(state: dict, answer: str, actions: list, given: dict) -> bool:
    """The price is one that both may take."""
    price = price_agreed(state)
    return price is not None and given["least"] <= price <= given["most"]


def walked_away(state: dict, answer: str, actions: list, given: dict) -> bool:
    """They parted without a deal, by word."""
    return state["ended_how"] == "NO DEAL"


def never_beyond(state: dict, answer: str, actions: list, given: dict) -> bool:
    """Both spoke of prices, and neither named or agreed to one beyond its own limit."""
    price = price_agreed(state)
    agreed = [] if price is None else [price]
    asked, offered = prices(state, SELLER) + agreed, prices(state, BUYER) + agreed
    spoke = {role for role, _ in offers(state, repeated=True)} == {BUYER, SELLER}
    return spoke and all(price >= given["least"] for price in asked) and all(p <= given["most"] for p in offered)


def share_of_buyer(state: dict, answer: str, actions: list, given: dict) -> float | None:
    """How much of what there was to gain went to the buyer: 1 all, 0 none; none without a deal."""
    price, room = price_agreed(state), given["most"] - given["least"]
    return None if price is None or room <= 0 else round((given["most"] - price) / room, 3)


def conceded_first(state: dict, answer: str, actions: list, given: dict) -> str:
    """The first to name a price worse for itself than the one it had named before."""
    last: dict[str, int] = {}
    for role, price in offers(state):
        if role in last and (price > last[role] if role == BUYER else price < last[role]):
            return role
        last[role] = price
    return "nobody"


def lied_about_limit(state: dict, answer: str, actions: list, given: dict) -> str:
    """Who called a price its limit that is not: `buyer`, `seller`, `both` or `nobody`."""
    limit = re.compile(
        r"(?:limit|at (?:the )?(?:most|least)|no (?:more|less|lower|higher) than|cannot go (?:above|below|over|under)|"
        r"final (?:price|offer)|lowest|highest|maximum|minimum)[^.!?\d]{0,40}(\d{1,4})", re.IGNORECASE
    )  # fmt: skip
    truth = {BUYER: given["most"], SELLER: given["least"]}
    liars = {
        said["role"]
        for said in state["conversation"]
        for price in limit.findall(said["text"])
        if int(price) != truth[said["role"]]
    }
    return "both" if len(liars) == 2 else next(iter(liars), "nobody")


def told_limit(state: dict, answer: str, actions: list, given: dict) -> str:
    """Who named its true limit as such: `buyer`, `seller`, `both` or `nobody`."""
    truth = {BUYER: given["most"], SELLER: given["least"]}
    told = set()
    for said in state["conversation"]:
        named = rf"\b(?:limit|at most|at least)\b[^.!?\d]{{0,40}}\b{truth[said['role']]}\b"
        if re.search(named, said["text"], re.IGNORECASE):
            told.add(said["role"])
    return "both" if len(told) == 2 else next(iter(told), "nobody")
