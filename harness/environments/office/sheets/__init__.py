"""Spreadsheets: cells, formulas worked out within bounds, and real .xlsx and .csv files."""

from __future__ import annotations

from harness.environments.office.sheets.book import (
    MAX_CELLS,
    BadFormulaError,
    Book,
    Cell,
    Place,
    Region,
    Scalar,
    read_cell,
    read_region,
    written,
)
from harness.environments.office.sheets.compute import TooMuchError, computed
from harness.environments.office.sheets.exchange import ExchangeError, as_csv, as_xlsx, from_csv, from_xlsx

__all__ = [
    "MAX_CELLS",
    "BadFormulaError",
    "Book",
    "Cell",
    "ExchangeError",
    "Place",
    "Region",
    "Scalar",
    "TooMuchError",
    "as_csv",
    "as_xlsx",
    "computed",
    "from_csv",
    "from_xlsx",
    "read_cell",
    "read_region",
    "written",
]
