"""A list of words, with everything on it that a page can try."""


def home(visit):
    found = visit.rows("SELECT * FROM words ORDER BY id")
    return visit.page("home.html", words=found, added=visit.cookies.get("added", "0"), mood=visit.cookies.get("mood"))


def add(visit):
    visit.change("INSERT INTO words (word, kind) VALUES (?, ?)", visit.form["word"], visit.form["kind"])
    if not visit.form["word"]:
        return visit.refuse(400, "A word is wanted.")
    visit.keep("added", str(int(visit.cookies.get("added", "0")) + 1))
    visit.keep("mood", "good; really")
    return visit.go("/")


def word(visit):
    return visit.data({"word": visit.value("SELECT word FROM words WHERE id = ?", visit.parts["id"])})


def plain(name):
    return lambda visit: visit.page(f"{name}.html", listener=visit.query.get("listener", "site.invalid"))


def routes():
    return {
        "GET /": home,
        "POST /add": add,
        "GET /words/{id}": word,
        "GET /old": lambda visit: visit.go("/?moved"),
        "GET /older": lambda visit: visit.go("/old"),
        "GET /long": lambda visit: visit.page("long.html"),
        "GET /away": plain("away"),
        "GET /broken": lambda visit: 1 / 0,
        "GET /undefined": lambda visit: visit.page("home.html"),
        "GET /endless": plain("endless"),
        "POST /sum": lambda visit: visit.page("sum.html", form=visit.form),
    }
