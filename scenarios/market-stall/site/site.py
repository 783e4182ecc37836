"""A market stall's shop: goods, a basket, vouchers, orders, returns, and an account page."""

PAGE = 8
REASONS = ("came broken", "wrong goods", "not wanted")
WISHES = ("money back", "another piece")


def money(cents):
    return f"{cents // 100}.{cents % 100:02d}"


def customer(visit):
    found = visit.row("SELECT * FROM customers WHERE sign = ?", visit.cookies.get("customer", ""))
    return found or visit.refuse(403, "Please sign in at the stall.")


def shown(visit, template, **names):
    who = visit.row("SELECT * FROM customers WHERE sign = ?", visit.cookies.get("customer", ""))
    pieces = visit.value("SELECT sum(pieces) FROM basket WHERE customer = ?", who["id"] if who else 0) or 0
    return visit.page(template, who=who, in_basket=pieces, money=money, **names)


def number(visit, text, least, most, what):
    if not text.strip().isdecimal() or not least <= int(text) <= most:
        visit.refuse(400, f"{what} must be a number from {least} to {most}.")
    return int(text)


def home(visit):
    kinds = visit.rows("SELECT kind, count(*) AS goods FROM goods GROUP BY kind ORDER BY kind")
    return shown(visit, "home.html", kinds=kinds)


def goods(visit):
    words, kind = visit.query.get("q", "").strip(), visit.query.get("kind", "")
    page = visit.query.get("page", "1")
    page = int(page) if page.isdecimal() and 0 < int(page) < 1000 else 1
    where = "(? = '' OR kind = ?) AND (instr(lower(name), lower(?)) OR instr(lower(about), lower(?)))"
    found = visit.rows(f"SELECT * FROM goods WHERE {where} ORDER BY name", kind, kind, words, words)  # noqa: S608
    part = found[(page - 1) * PAGE : page * PAGE]
    pages = max(1, -(-len(found) // PAGE))
    return shown(visit, "goods.html", found=len(found), part=part, page=page, pages=pages, words=words, kind=kind)


def one(visit):
    row = visit.row("SELECT * FROM goods WHERE id = ?", visit.parts["id"])
    return shown(visit, "one.html", row=row) if row else visit.refuse(404, "There are no such goods.")


def add(visit):
    who = customer(visit)
    row = visit.row("SELECT * FROM goods WHERE id = ?", visit.parts["id"])
    if row is None:
        return visit.refuse(404, "There are no such goods.")
    pieces = number(visit, visit.form.get("pieces", "1"), 1, 50, "Pieces")
    there = visit.value("SELECT pieces FROM basket WHERE customer = ? AND goods = ?", who["id"], row["id"]) or 0
    if there + pieces > row["stock"]:
        return visit.refuse(409, f"There are only {row['stock']} of {row['name']}.")
    visit.change("INSERT OR REPLACE INTO basket VALUES (?, ?, ?)", who["id"], row["id"], there + pieces)
    return visit.go("/basket")


def lines_of(visit, who):
    return visit.rows(
        "SELECT g.*, b.pieces, b.pieces * g.price AS cost FROM basket b JOIN goods g ON g.id = b.goods "
        "WHERE b.customer = ? ORDER BY g.name",
        who["id"],
    )


def discount(visit, who, lines):
    """The voucher in the basket and what it takes off, or why it takes nothing."""
    code = visit.value("SELECT code FROM basket_voucher WHERE customer = ?", who["id"])
    row = visit.row("SELECT * FROM vouchers WHERE code = ?", code or "")
    if row is None:
        return None, 0, ""
    cost = sum(line["cost"] for line in lines)
    if row["until"] < visit.today:
        return code, 0, f"ran out on {row['until']}"
    if cost < row["least"]:
        return code, 0, f"needs goods for at least {money(row['least'])}"
    if row["kind"] and not any(line["kind"] == row["kind"] and not line["second"] for line in lines):
        return code, 0, f"is for {row['kind']} ware"
    return code, min(row["off"], cost), ""


def fees(visit, cost):
    """The deliveries there are, with the fee for goods of that cost."""
    found = visit.rows("SELECT * FROM deliveries ORDER BY words")
    return [{**row, "now": 0 if row["free_from"] and cost >= row["free_from"] else row["fee"]} for row in found]


def basket(visit):
    who = customer(visit)
    lines = lines_of(visit, who)
    cost = sum(line["cost"] for line in lines)
    code, off, why = discount(visit, who, lines)
    return shown(
        visit, "basket.html", lines=lines, cost=cost, code=code, off=off, why=why, ways=fees(visit, cost),
        unknown=visit.query.get("unknown", ""),
    )  # fmt: skip


def remove(visit):
    who = customer(visit)
    visit.change("DELETE FROM basket WHERE customer = ? AND goods = ?", who["id"], visit.parts["id"])
    return visit.go("/basket")


def voucher(visit):
    who = customer(visit)
    code = visit.form.get("code", "").strip().upper()
    visit.change("DELETE FROM basket_voucher WHERE customer = ?", who["id"])
    if not code:
        return visit.go("/basket")
    if visit.row("SELECT 1 FROM vouchers WHERE code = ?", code) is None:
        return visit.go("/basket?unknown=1")
    visit.change("INSERT INTO basket_voucher VALUES (?, ?)", who["id"], code)
    return visit.go("/basket")


def order(visit):
    who = customer(visit)
    lines = lines_of(visit, who)
    cost = sum(line["cost"] for line in lines)
    way = next((way for way in fees(visit, cost) if way["words"] == visit.form.get("delivery")), None)
    if not lines:
        return visit.refuse(400, "The basket is empty.")
    if way is None:
        return visit.refuse(400, "Please choose how the goods come to you. Nothing was ordered.")
    code, off, _ = discount(visit, who, lines)
    placed = visit.change(
        "INSERT INTO orders (customer, placed_on, delivery, fee, voucher, off, total) VALUES (?, ?, ?, ?, ?, ?, ?)",
        who["id"], visit.today, way["code"], way["now"], code if off else None, off, cost - off + way["now"],
    )  # fmt: skip
    for line in lines:
        visit.change("INSERT INTO order_lines VALUES (?, ?, ?, ?)", placed, line["id"], line["pieces"], line["price"])
        visit.change("UPDATE goods SET stock = stock - ? WHERE id = ?", line["pieces"], line["id"])
    visit.change("DELETE FROM basket WHERE customer = ?", who["id"])
    visit.change("DELETE FROM basket_voucher WHERE customer = ?", who["id"])
    return visit.go(f"/orders/{placed}")


def account(visit):
    who = customer(visit)
    orders = visit.rows("SELECT * FROM orders WHERE customer = ? ORDER BY id DESC", who["id"])
    returns = visit.rows(
        "SELECT r.*, g.name FROM returns r JOIN orders o ON o.id = r.order_id JOIN goods g ON g.id = r.goods "
        "WHERE o.customer = ? ORDER BY r.id",
        who["id"],
    )
    return shown(visit, "account.html", orders=orders, returns=returns)


def one_order(visit):
    """An order's page. It asks that the reader be signed in, and forgets to ask as whom."""
    customer(visit)
    row = visit.row(
        "SELECT o.*, c.name, c.street, d.words FROM orders o JOIN customers c ON c.id = o.customer "
        "JOIN deliveries d ON d.code = o.delivery WHERE o.id = ?",
        visit.parts["id"],
    )
    if row is None:
        return visit.refuse(404, "There is no such order.")
    lines = visit.rows(
        "SELECT l.*, g.name FROM order_lines l JOIN goods g ON g.id = l.goods WHERE l.order_id = ? ORDER BY g.name",
        row["id"],
    )
    gift = visit.row("SELECT * FROM vouchers WHERE holder = ?", row["customer"])
    return shown(visit, "order.html", order=row, lines=lines, gift=gift)


def return_form(visit, problems=()):
    who = customer(visit)
    return shown(
        visit, "return.html", problems=problems, given=visit.form, reasons=REASONS, wishes=WISHES,
        bought=visit.rows(
            "SELECT DISTINCT g.name FROM order_lines l JOIN orders o ON o.id = l.order_id "
            "JOIN goods g ON g.id = l.goods WHERE o.customer = ? ORDER BY g.name",
            who["id"],
        ),
    )  # fmt: skip


def hand_in(visit):
    who, form = customer(visit), visit.form
    problems = []
    line = visit.row(
        "SELECT l.*, o.delivered_on FROM order_lines l JOIN orders o ON o.id = l.order_id "
        "JOIN goods g ON g.id = l.goods WHERE o.id = ? AND o.customer = ? AND g.name = ?",
        form.get("order", "").strip(), who["id"], form.get("goods", ""),
    )  # fmt: skip
    pieces = form.get("pieces", "").strip()
    if line is None:
        problems.append("These goods are not in that order of yours.")
    elif not pieces.isdecimal() or not 1 <= int(pieces) <= line["pieces"]:
        problems.append(f"Pieces: you bought {line['pieces']}.")
    if form.get("reason") not in REASONS:
        problems.append("Please choose a reason.")
    if form.get("wish") not in WISHES:
        problems.append("Please choose what you wish for.")
    if not form.get("terms"):
        problems.append("Please confirm that the terms allow the return.")
    if problems:
        return return_form(visit, problems)
    visit.change(
        "INSERT INTO returns (order_id, goods, pieces, reason, wish, handed_in) VALUES (?, ?, ?, ?, ?, ?)",
        line["order_id"], line["goods"], int(pieces), form["reason"], form["wish"], visit.today,
    )  # fmt: skip
    return visit.go("/account")


def vouchers(visit):
    return shown(visit, "vouchers.html", listed=visit.rows("SELECT * FROM vouchers WHERE listed ORDER BY code"))


def routes():
    return {
        "GET /": home,
        "GET /notice": lambda visit: shown(
            visit, "notice.html", notice=visit.value("SELECT value FROM settings WHERE name = 'notice'")
        ),
        "GET /goods": goods,
        "GET /goods/{id}": one,
        "POST /goods/{id}": add,
        "GET /basket": basket,
        "POST /basket/remove/{id}": remove,
        "POST /basket/voucher": voucher,
        "POST /order": order,
        "GET /orders/{id}": one_order,
        "GET /account": account,
        "GET /return": return_form,
        "POST /return": hand_in,
        "GET /vouchers": vouchers,
        "GET /terms": lambda visit: shown(visit, "terms.html"),
    }
