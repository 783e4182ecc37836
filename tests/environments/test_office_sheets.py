"""Spreadsheets of an office: cells, formulas, real files."""

import io
import time
from pathlib import Path
from typing import Any

import pytest
from environments.office_parts import Call, day, opening, read
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from harness.environments import EnvironmentFault
from harness.environments.office import OfficeReader
from harness.environments.office.sheets import (
    BadFormulaError,
    Book,
    Cell,
    ExchangeError,
    Place,
    TooMuchError,
    as_csv,
    as_xlsx,
    computed,
    from_csv,
    from_xlsx,
    read_cell,
)
from harness.environments.office.sheets.exchange import from_rows

DESKS = ["mail", "attachments", "spreadsheets"]
RENT: dict[str, Any] = {
    "rent.xlsx": {
        "sheets": {
            "March": [["room", "crowns", "paid"], ["oak", 40, "yes"], ["elm", 28.5, "no"], ["sum", "=SUM(B2:B3)"]],
            "Rates": [["discount", 0.1]],
        }
    }
}


def value_of(formula: str, rows: list[list[Any]] | None = None) -> Any:
    """What a formula comes to in the cell Z1 beside some rows."""
    cells = from_rows(rows or [])
    book = computed(Book({"S": {**cells, read_cell("Z1"): Cell(None, formula)}, "Two words": from_rows([[7]])}))
    return book.sheets["S"][read_cell("Z1")].value


class TestFormulas:
    @pytest.mark.parametrize(
        ("formula", "value"),
        [
            ("=1+2*3", 7.0), ("=(1+2)*3", 9.0), ("=2^3^2", 64.0), ("=-2^2", 4.0), ("=10%", 0.1), ("=1/4-1", -0.75),
            ('="a"&1&TRUE', "a1TRUE"), ('="say ""no"""', 'say "no"'), ("=1=1", True), ('="B">"a"', True),
            ("=2<>2", False),
            ("=1e3", 1000.0), ("=+5", 5.0), ("=--5", 5.0), ("= 1 + 1 ", 2.0), ("=1<2=TRUE", True),
        ],
    )  # fmt: skip
    def test_operators_bind_as_in_other_spreadsheets(self, formula: str, value: Any) -> None:
        assert value_of(formula) == value

    @pytest.mark.parametrize(
        ("formula", "value"),
        [
            ("=SUM(A1:B3)", 16.5), ("=AVERAGE(B1:B3)", 5.25), ("=MIN(B1:B3)+MAX(B1:B3)", 10.5), ("=COUNT(A1:C3)", 3.0),
            ("=COUNTA(A1:A3)", 3.0), ("=MEDIAN(1,9,B1)", 4.0), ("=PRODUCT(2,3)", 6.0), ("=SUM(A1:A2)", 6.0),
            ('=COUNTIF(A1:A3,"oak")', 1.0), ('=COUNTIF(B1:B3,">=4")', 2.0), ('=SUMIF(A1:A3,"<>oak",B1:B3)', 6.5),
            ('=AVERAGEIF(B1:B3,">4")', 6.5), ("=SUMPRODUCT(B1:B3,B1:B3)", 58.25),
            ('=VLOOKUP("elm",A1:B3,2,FALSE)', 6.5), ("=VLOOKUP(6,A2:B2,2)", 6.5), ("=ROUND(2.5,0)", 3.0),
            ("=ROUND(1.005,2)", 1.01), ("=ROUND(-2.5)", -3.0), ("=ROUNDUP(2.1,0)", 3.0), ("=ROUNDDOWN(2.9)", 2.0),
            ("=ROUND(1234,-2)", 1200.0), ("=ABS(-3)", 3.0), ("=INT(-1.5)", -2.0), ("=MOD(-7,3)", 2.0),
            ("=SQRT(9)", 3.0),
            ("=IF(B1>3,\"yes\",1/0)", "yes"), ("=IF(B1>9,1)", False), ("=IFERROR(1/0,7)", 7.0), ("=IFERROR(3,7)", 3.0),
            ("=AND(1,TRUE)", True), ("=OR(FALSE,0)", False), ("=NOT(1>2)", True), ('=CONCAT("a",B1)', "a4"),
            ('=LEFT("abcd",2)&RIGHT("abcd")', "abd"), ('=LEN(UPPER(" ab "))', 4.0), ('=TRIM("  a   b ")', "a b"),
            ("='Two words'!A1*2", 14.0), ("=$B$1", 4.0), ("=sum(b1;b3)", 10.5), ("=X9", 0.0), ('="2"*3', 6.0),
        ],
    )  # fmt: skip
    def test_functions_come_to_what_they_say(self, formula: str, value: Any) -> None:
        assert value_of(formula, [["oak", 4], [6, 6.5], ["elm"]] if "VLOOKUP(6" in formula else ROWS) == pytest.approx(
            value
        )

    @pytest.mark.parametrize(
        ("formula", "error"),
        [
            ("=1/0", "#DIV/0!"), ("=AVERAGE(Y1:Y9)", "#DIV/0!"), ("=2^9999", "#NUM!"), ("=(-1)^0.5", "#NUM!"),
            ("=SQRT(-1)", "#NUM!"), ('="x"+1', "#VALUE!"), ("=A1:A3+1", "#VALUE!"), ("=NOPE(1)", "#NAME?"),
            ("=Absent!A1", "#REF!"), ('=VLOOKUP("yew",A1:B3,2,FALSE)', "#N/A"), ("=VLOOKUP(1,A1:B3,9)", "#REF!"),
            ("=Z1", "#CYCLE!"), ("=IFERROR(Z1,1)", "#CYCLE!"), ("=1e200*1e200", "#NUM!"), ("=ROUND(1,99)", "#NUM!"),
            ("=0^-1", "#DIV/0!"), ('=LEFT("a",-1)', "#VALUE!"), ("=ABS(1,2)", "#VALUE!"),
        ],
    )  # fmt: skip
    def test_what_cannot_be_had_is_told_by_the_usual_names(self, formula: str, error: str) -> None:
        assert value_of(formula, ROWS) == error

    def test_errors_pass_on_and_circles_are_told_in_every_cell_of_them(self) -> None:
        rows = [["=B1", "=C1", "=A1", "=1/0", "=D1+1", "=SUM(D1:E1)", "=A1&1", 5, "=H1*2"]]
        cells = computed(Book({"S": from_rows(rows)})).sheets["S"]
        assert [cell.value for _, cell in sorted(cells.items())] == [
            *["#CYCLE!"] * 3, *["#DIV/0!"] * 3, "#CYCLE!", 5.0, 10.0,
        ]  # fmt: skip

    @pytest.mark.parametrize(
        "formula",
        ["=", "=1+", "=(1", "=SUM(", "=1 2", "=@", "=foo", "=A0", "=A1:", "=" + "(" * 60 + "1" + ")" * 60,
         "=" + "1+" * 400, "=" + "-" * 1000 + "1", "=1e999", "=A1!B2!C3", "=SUM(,)"],
    )  # fmt: skip
    def test_what_is_no_formula_is_refused(self, formula: str) -> None:
        with pytest.raises(BadFormulaError):
            value_of(formula)

    def test_formulas_that_need_one_another_a_long_way_are_no_trouble(self) -> None:
        chain = {Place(row, 1): Cell(None, f"=A{row + 1}+1") for row in range(1, 5000)} | {Place(5000, 1): Cell(1.0)}
        assert computed(Book({"S": chain})).sheets["S"][Place(1, 1)].value == 5000

    def test_a_spreadsheet_that_would_take_too_long_is_refused(self) -> None:
        sums = {Place(row, 1): Cell(None, "=SUM(B1:B5000)") for row in range(1, 2000)}
        numbers = {Place(row, 2): Cell(1.0) for row in range(1, 5000)}
        with pytest.raises(TooMuchError):
            computed(Book({"S": {**sums, **numbers}}))

    def test_texts_cannot_grow_without_bound(self) -> None:
        rows = [["x" * 1000]] + [[f"=A{row}&A{row}"] for row in range(1, 9)]
        cells = computed(Book({"S": from_rows(rows)})).sheets["S"]
        assert [str(cells[Place(row, 1)].value)[:8] for row in (2, 3, 9)] == ["xxxxxxxx", "#VALUE!", "#VALUE!"]

    @settings(max_examples=300, deadline=None)
    @given(st.text(alphabet="=+-*/^&<>%(),:!'\"$ .0123456789ABZabSUMIF#\n", max_size=60))
    def test_no_text_breaks_it(self, text: str) -> None:
        try:
            found = computed(Book({"S": {Place(1, 1): Cell(None, "=" + text), Place(2, 1): Cell(3.0)}}))
        except BadFormulaError:
            return
        assert isinstance(found.sheets["S"][Place(1, 1)].value, float | str | bool)


ROWS: list[list[Any]] = [["oak", 4], [6, None], ["elm", 6.5]]


class TestFiles:
    def test_a_spreadsheet_comes_back_from_its_file(self) -> None:
        book = computed(Book({"One": from_rows([["a", 1, 2.5, True, "'=no"], ["=SUM(B1:C1)", "'007"]]), "Two": {}}))
        again = computed(from_xlsx(as_xlsx(book)))
        assert again == book
        assert again.sheets["One"][read_cell("E1")] == Cell("=no")
        assert again.sheets["One"][read_cell("B2")] == Cell("007")

    def test_the_same_cells_are_the_same_bytes_at_any_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        book = computed(Book({"S": from_rows([["a", "=1+1"]])}))
        first = as_xlsx(book)
        monkeypatch.setattr(time, "time", lambda: 2_000_000_000.0)
        monkeypatch.setattr(time, "localtime", lambda *_: time.gmtime(2_000_000_000))
        assert as_xlsx(book) == first
        assert b"1980" in first or load_workbook(io.BytesIO(first)).properties.modified.year == 1980

    def test_a_file_of_another_program_is_read(self) -> None:
        from datetime import date, datetime

        workbook = Workbook()
        sheet = workbook.active
        assert sheet is not None
        sheet.append(["day", date(2026, 3, 2), datetime(2026, 3, 2, 9, 30), "=B2*2", 3, "1e5"])
        data = io.BytesIO()
        workbook.save(data)
        cells = from_xlsx(data.getvalue()).sheets["Sheet"]
        assert [cell.formula or cell.value for _, cell in sorted(cells.items())] == [
            "day", "2026-03-02", "2026-03-02 09:30", "=B2*2", 3.0, "1e5",
        ]  # fmt: skip

    @pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"no file at all", as_xlsx(Book({"S": {}}))[:-30]])
    def test_what_is_no_spreadsheet_is_said(self, data: bytes) -> None:
        with pytest.raises(ExchangeError, match=r"no \.xlsx file"):
            from_xlsx(data)

    def test_a_file_that_unpacks_too_far_is_refused(self) -> None:
        import zipfile

        bomb = io.BytesIO()
        with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr("xl/worksheets/sheet1.xml", b"0" * 30_000_000)
        with pytest.raises(ExchangeError, match="too large"):
            from_xlsx(bomb.getvalue())

    def test_comma_separated_text_goes_in_and_out(self) -> None:
        text = 'a,1,2.5\n"b, c",,x\n'
        assert as_csv(computed(from_csv(text)).sheets["Sheet1"]) == text


class TestTools:
    def test_they_are_listed_and_read(self, tmp_path: Path) -> None:
        (listed, whole, part, formulas, rates), _ = day(
            opening(tmp_path, desks=DESKS, spreadsheets=RENT),
            ("list_spreadsheets", {}),
            ("read_cells", {"spreadsheet": "rent.xlsx"}),
            ("read_cells", {"spreadsheet": "rent.xlsx", "range": "B4:A3"}),
            ("read_cells", {"spreadsheet": "rent.xlsx", "range": "B4", "formulas": True}),
            ("read_cells", {"spreadsheet": "rent.xlsx", "sheet": "rates"}),
        )
        assert listed.text.splitlines()[1:] == ["rent.xlsx | March | 11", "rent.xlsx | Rates | 2"]
        assert whole.text.splitlines() == [
            " | A | B | C", "1 | room | crowns | paid", "2 | oak | 40 | yes", "3 | elm | 28.5 | no",
            "4 | sum | 68.5 | ",
        ]  # fmt: skip
        assert part.text.splitlines() == [" | A | B", "3 | elm | 28.5", "4 | sum | 68.5"]
        assert formulas.text.splitlines() == [" | B", "4 | =SUM(B2:B3)"]
        assert rates.text.splitlines() == [" | A | B", "1 | discount | 0.1"]

    def test_a_cell_is_set_and_all_formulas_follow(self, tmp_path: Path) -> None:
        (number, formula, text, emptied), after = day(
            opening(tmp_path, desks=DESKS, spreadsheets=RENT),
            ("set_cell", {"spreadsheet": "rent.xlsx", "cell": "b2", "value": "50"}),
            ("set_cell", {"spreadsheet": "rent.xlsx", "cell": "B5", "value": "=ROUND(B4*(1-Rates!B1),1)"}),
            ("set_cell", {"spreadsheet": "rent.xlsx", "cell": "A5", "value": "less discount"}),
            ("set_cell", {"spreadsheet": "rent.xlsx", "cell": "C2", "value": ""}),
        )
        assert number.text == "B2 of March in rent.xlsx is now 50."
        assert formula.text == "B5 of March in rent.xlsx is now 70.7 (from =ROUND(B4*(1-Rates!B1),1))."
        assert not text.error and emptied.text.endswith("is empty now.")
        assert after["spreadsheets"]["rent.xlsx"]["March"] == {
            "A1": "room", "B1": "crowns", "C1": "paid", "A2": "oak", "B2": 50, "A3": "elm", "B3": 28.5, "C3": "no",
            "A4": "sum", "B4": 78.5, "A5": "less discount", "B5": 70.7,
        }  # fmt: skip
        assert after["formulas"]["rent.xlsx"]["March"] == {"B4": "=SUM(B2:B3)", "B5": "=ROUND(B4*(1-Rates!B1),1)"}

    def test_rows_are_written_and_sheets_begun(self, tmp_path: Path) -> None:
        seen, after = day(
            opening(tmp_path, desks=DESKS),
            ("create_spreadsheet", {"spreadsheet": "wool.xlsx"}),
            ("set_rows", {"spreadsheet": "wool.xlsx", "cell": "B2", "rows": [["1", "2"], ["=B2+C2", "", "x"]]}),
            ("create_spreadsheet", {"spreadsheet": "wool.xlsx", "sheet": "April"}),
        )
        assert [one.text for one in seen] == [
            "Began wool.xlsx with the sheet Sheet1.", "Wrote B2:D3 of Sheet1 in wool.xlsx.",
            "Added the sheet April to wool.xlsx.",
        ]  # fmt: skip
        assert after["spreadsheets"] == {"wool.xlsx": {"Sheet1": {"B2": 1, "C2": 2, "B3": 3, "D3": "x"}, "April": {}}}

    @pytest.mark.parametrize(
        ("call", "reason"),
        [
            (("read_cells", {"spreadsheet": "absent"}), "no spreadsheet 'absent'"),
            (("read_cells", {"spreadsheet": "rent.xlsx", "sheet": "May"}), "no sheet 'may'; it has March, Rates"),
            (("read_cells", {"spreadsheet": "rent.xlsx", "range": "all"}), "'all' is no cell"),
            (("set_cell", {"spreadsheet": "rent.xlsx", "cell": "B", "value": "1"}), "'B' is no cell"),
            (("set_cell", {"spreadsheet": "rent.xlsx", "cell": "ZZZ1", "value": "1"}), "beyond the sheet"),
            (("set_cell", {"spreadsheet": "rent.xlsx", "cell": "B9", "value": "=SUM(B2"}), "something is missing"),
            (("set_cell", {"spreadsheet": "rent.xlsx", "cell": "B9", "value": "a\x00b"}), "control characters"),
            (("set_rows", {"spreadsheet": "rent.xlsx", "cell": "A10000", "rows": [["1"], ["2"]]}), "beyond the sheet"),
            (("set_rows", {"spreadsheet": "rent.xlsx", "cell": "A1", "rows": []}), "nothing to write"),
            (("create_spreadsheet", {"spreadsheet": "rent.xlsx", "sheet": "MARCH"}), "has a sheet 'MARCH' already"),
            (("create_spreadsheet", {"spreadsheet": "a", "sheet": "a/b"}), "no name of a sheet"),
        ],
    )
    def test_what_goes_wrong_is_said_and_changes_nothing(self, tmp_path: Path, call: Call, reason: str) -> None:
        house = opening(tmp_path, desks=DESKS, spreadsheets=RENT)
        (seen,), after = day(house, call)
        assert seen.error and reason in seen.text
        assert after == day(house)[1]

    def test_a_large_sheet_is_cut_with_a_note(self, tmp_path: Path) -> None:
        rows = [[row, "wool " * 20] for row in range(300)]
        (seen,), _ = day(
            opening(tmp_path, desks=DESKS, spreadsheets={"long": {"sheets": {"S": rows}}}, characters=1000),
            ("read_cells", {"spreadsheet": "long"}),
        )
        assert len(seen.text) < 1200
        assert "only the first 9 rows shown" in seen.text

    def test_checks_can_query_cells_and_open_the_real_file(self, tmp_path: Path) -> None:
        async def look(reader: OfficeReader) -> None:
            query = "SELECT value FROM cells WHERE book = 'rent.xlsx' AND sheet = 'March' AND cell = 'B4'"
            assert await reader.query(query) == [[68.5]]
            assert await reader.read_file("rent.xlsx") == "room,crowns,paid\noak,40,yes\nelm,28.5,no\nsum,68.5,\n"
            data = await reader.xlsx("rent.xlsx")
            assert data is not None
            opened = load_workbook(io.BytesIO(data))
            assert opened["March"]["B4"].value == "=SUM(B2:B3)"
            assert await reader.xlsx("absent") is None

        read(opening(tmp_path, desks=DESKS, spreadsheets=RENT), look)

    def test_they_come_from_files_beside_the_scenario(self, tmp_path: Path) -> None:
        (tmp_path / "a.xlsx").write_bytes(as_xlsx(computed(Book({"Real": from_rows([["x", "=1+1"]])}))))
        (tmp_path / "b.csv").write_text("y,3\n")
        books = {"a": {"data": str(tmp_path / "a.xlsx")}, "b": {"data": str(tmp_path / "b.csv")}}
        _, after = day(opening(tmp_path, spreadsheets=books))
        assert after["spreadsheets"] == {"a": {"Real": {"A1": "x", "B1": 2}}, "b": {"Sheet1": {"A1": "y", "B1": 3}}}

    def test_a_formula_of_the_scenario_that_cannot_be_read_is_a_fault(self, tmp_path: Path) -> None:
        with pytest.raises(EnvironmentFault, match=r"spreadsheet 'x': .*something is missing"):
            day(opening(tmp_path, spreadsheets={"x": {"sheets": {"S": [["=1+"]]}}}))
