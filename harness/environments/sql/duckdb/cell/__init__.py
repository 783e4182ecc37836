"""Runs in processes of its own, on the standard library and DuckDB alone: a *nursery* that forks a *cell* per database.

DuckDB bounds most of what a statement takes, and not all: some functions take gigabytes, or minutes that nothing can
interrupt, and some table functions take addresses of memory. So each database lives in a process with limits of the
operating system, of a numeric user of its own and in a folder it cannot see out of where the harness is root, and is
killed when it does not answer.

The nursery has DuckDB loaded, so that a cell is there in milliseconds. It is asked over a socket at its standard
input; each message is one cell's opening as JSON, with the cell's own socket along with it. All end with the harness.
"""
