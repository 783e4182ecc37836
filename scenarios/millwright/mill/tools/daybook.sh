#!/bin/sh
# Pounds brought in by each customer, the most first; customers with the same weight by name.
# Usage: daybook.sh FILE
# A line of FILE: customer,pounds. Corrections are negative. Empty lines and lines that begin with # do not count.
# Customers whose corrections leave nothing are left out.
awk -F, '
    /^#/ || /^[ \t\r]*$/ { next }
    { sub(/\r$/, ""); total[$1] += $2 }
    END { for (name in total) if (total[name] != 0) printf "%s,%d\n", name, total[name] }
' "$1" | LC_ALL=C sort -t, -k2,2nr -k1,1
