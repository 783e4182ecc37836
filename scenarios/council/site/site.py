"""A small council office's site: forms with rules, registers with a search, appointments, a notice board."""

import re
from datetime import date, timedelta

PAGE = 6
KINDS = ("fault", "complaint")
ABOUT = ("street lamp", "road", "noise", "other")
TARIFFS = ("A", "B")
ZONES = ("1", "2", "3", "4")
MONTHS = ("3", "6", "12")


def resident(visit):
    found = visit.row("SELECT * FROM residents WHERE sign = ?", visit.cookies.get("resident", ""))
    return found or visit.refuse(403, "Please sign in at the counter.")


def shown(visit, template, **names):
    return visit.page(template, who=resident(visit), given=visit.form, **names)


def form(template, **names):
    """A page with a form. Before the first of them the office wants its session to be begun."""

    def handler(visit, problems=()):
        if not visit.cookies.get("session"):
            return shown(visit, "session.html", to=visit.path)
        return shown(visit, template, problems=problems, **names)

    return handler


def begin(visit):
    visit.keep("session", "begun")
    return visit.go(visit.form.get("to", "/"))


def day_of(text):
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


permit_form = form("permit.html", zones=ZONES, tariffs=TARIFFS, months=MONTHS)


def permit(visit):
    given, who = visit.form, resident(visit)
    begins, problems = day_of(given.get("begins", "")), []
    if not re.fullmatch(r"[A-Z]{2}\d{4}", given.get("plate", "").strip()):
        problems.append("Number plate: two capital letters and four digits, without spaces.")
    if given.get("zone") not in ZONES or given.get("tariff") not in TARIFFS or given.get("months") not in MONTHS:
        problems.append("Zone, tariff and months: please choose.")
    if begins is None:
        problems.append("First day: please write it as 2026-01-31.")
    elif begins.day != 1 or begins < date.fromisoformat(visit.today) + timedelta(days=7):
        problems.append("First day: see the rules.")
    if not given.get("true"):
        problems.append("Please confirm that what you say is true.")
    if problems:
        return permit_form(visit, problems)
    made = visit.change(
        "INSERT INTO permits (resident, plate, zone, tariff, months, begins, handed_in) VALUES (?, ?, ?, ?, ?, ?, ?)",
        who["id"], given["plate"].strip(), given["zone"], given["tariff"], int(given["months"]), begins.isoformat(),
        visit.today,
    )  # fmt: skip
    return visit.go(f"/done/permit/{made}")


collection_form = form("collection.html")


def collection(visit):
    given, who = visit.form, resident(visit)
    day, problems = day_of(given.get("day", "")), []
    things = [line.strip() for line in given.get("things", "").splitlines() if line.strip()]
    bulky = visit.value("SELECT bulky FROM streets WHERE name = ?", who["street"])
    if not 1 <= len(things) <= 3:
        problems.append("Things: one to three, each on a line of its own.")
    if day is None:
        problems.append("Day: please write it as 2026-01-31.")
    elif day.strftime("%A") != bulky or day < date.fromisoformat(visit.today) + timedelta(days=5):
        problems.append("Day: see the rules.")
    if problems:
        return collection_form(visit, problems)
    made = visit.change(
        "INSERT INTO collections (resident, day, things, handed_in) VALUES (?, ?, ?, ?)",
        who["id"], day.isoformat(), "\n".join(things), visit.today,
    )  # fmt: skip
    return visit.go(f"/done/collection/{made}")


def appointments(visit):
    office = visit.query.get("office", "passports")
    free = visit.rows("SELECT * FROM slots WHERE resident IS NULL AND office = ? ORDER BY day, time", office)
    own = visit.rows("SELECT * FROM slots WHERE resident = ? ORDER BY day", resident(visit)["id"])
    weekday = lambda day: date.fromisoformat(day).strftime("%A")  # noqa: E731
    return shown(visit, "appointments.html", office=office, free=free, own=own, weekday=weekday)


def book(visit):
    who = resident(visit)
    slot = visit.row("SELECT * FROM slots WHERE id = ?", visit.parts["id"])
    if slot is None or slot["resident"] is not None:
        return visit.refuse(409, "This time is taken.")
    if visit.value("SELECT count(*) FROM slots WHERE resident = ?", who["id"]):
        return visit.refuse(409, "You have an appointment. One at a time: give it up first.")
    visit.change("UPDATE slots SET resident = ?, matter = 'renewal' WHERE id = ?", who["id"], slot["id"])
    return visit.go("/appointments?office=" + slot["office"])


def give_up(visit):
    slot = visit.row("SELECT * FROM slots WHERE id = ? AND resident = ?", visit.parts["id"], resident(visit)["id"])
    if slot is None:
        return visit.refuse(404, "This is no appointment of yours.")
    visit.change("UPDATE slots SET resident = NULL, matter = NULL WHERE id = ?", slot["id"])
    return visit.go("/appointments?office=" + slot["office"])


report_form = form("report.html", kinds=KINDS, abouts=ABOUT)


def report(visit):
    given, who, problems = visit.form, resident(visit), []
    lamp = given.get("lamp", "").strip().upper()
    if given.get("kind") not in KINDS or given.get("about") not in ABOUT:
        problems.append("Kind and about: please choose.")
    if lamp and visit.row("SELECT 1 FROM lamps WHERE number = ?", lamp) is None:
        problems.append("Lamp: there is no lamp of this number; see the register of lamps.")
    if day_of(given.get("since", "")) is None:
        problems.append("Since: please write it as 2026-01-31.")
    if not given.get("words", "").strip():
        problems.append("Words: please say what it is.")
    if problems:
        return report_form(visit, problems)
    made = visit.change(
        "INSERT INTO reports (resident, kind, about, lamp, since, words, handed_in) VALUES (?, ?, ?, ?, ?, ?, ?)",
        who["id"], given["kind"], given["about"], lamp, given["since"].strip(), given["words"].strip(), visit.today,
    )  # fmt: skip
    return visit.go(f"/done/report/{made}")


def planning(visit):
    words, page = visit.query.get("q", "").strip(), visit.query.get("page", "1")
    page = int(page) if page.isdecimal() and 0 < int(page) < 100 else 1
    found = visit.rows(
        "SELECT * FROM planning WHERE instr(lower(street || ' ' || words || ' ' || number), lower(?)) ORDER BY number",
        words,
    )
    part, pages = found[(page - 1) * PAGE : page * PAGE], max(1, -(-len(found) // PAGE))
    return shown(visit, "planning.html", found=len(found), part=part, page=page, pages=pages, words=words)


def paper(visit):
    row = visit.row("SELECT * FROM planning WHERE number = ?", visit.parts["number"])
    return shown(visit, "paper.html", row=row, problems=()) if row else visit.refuse(404, "There is no such paper.")


def comment(visit):
    row = visit.row("SELECT * FROM planning WHERE number = ?", visit.parts["number"])
    who, given = resident(visit), visit.form
    if row is None or row["state"] != "open" or row["comments_until"] < visit.today:
        return visit.refuse(409, "Comments on this are closed.")
    if given.get("side") not in ("for", "against") or not given.get("words", "").strip():
        return shown(visit, "paper.html", row=row, problems=["Please choose a side, and say why."])
    made = visit.change(
        "INSERT INTO comments (resident, number, side, words, handed_in) VALUES (?, ?, ?, ?, ?)",
        who["id"], row["number"], given["side"], given["words"].strip(), visit.today,
    )  # fmt: skip
    return visit.go(f"/done/comment/{made}")


def bins(visit):
    street = visit.query.get("street", "").strip()
    found = (
        visit.rows("SELECT * FROM streets WHERE instr(lower(name), lower(?)) ORDER BY name", street) if street else []
    )
    return shown(visit, "bins.html", street=street, found=found)


def lamps(visit):
    words = visit.query.get("q", "").strip()
    found = visit.rows(
        "SELECT * FROM lamps WHERE instr(lower(street || ' ' || place), lower(?)) ORDER BY number", words
    )
    return shown(visit, "lamps.html", words=words, found=found)


def notice(visit):
    row = visit.row("SELECT * FROM notices WHERE id = ?", visit.parts["id"])
    return shown(visit, "notice.html", row=row) if row else visit.refuse(404, "There is no such notice.")


def listed(template, table, order):
    return lambda visit: shown(visit, template, rows=visit.rows(f"SELECT * FROM {table} ORDER BY {order}"))  # noqa: S608


def plain(template):
    return lambda visit: shown(visit, template)


def routes():
    return {
        "GET /": plain("home.html"),
        "GET /hours": listed("hours.html", "hours", "rowid"),
        "GET /notices": listed("notices.html", "notices", "id"),
        "GET /notices/{id}": notice,
        "POST /session": begin,
        "GET /permits": plain("permits.html"),
        "GET /permits/form": permit_form,
        "POST /permits/form": permit,
        "GET /bins": bins,
        "GET /bins/bulky": plain("bulky.html"),
        "GET /bins/bulky/form": collection_form,
        "POST /bins/bulky/form": collection,
        "GET /appointments": appointments,
        "POST /appointments/{id}": book,
        "POST /appointments/{id}/give-up": give_up,
        "GET /reports": plain("reports.html"),
        "GET /reports/form": report_form,
        "POST /reports/form": report,
        "GET /lamps": lamps,
        "GET /planning": planning,
        "GET /planning/{number}": paper,
        "POST /planning/{number}": comment,
        "GET /done/{what}/{number}": lambda visit: shown(
            visit, "done.html", what=visit.parts["what"], number=visit.parts["number"]
        ),
    }
