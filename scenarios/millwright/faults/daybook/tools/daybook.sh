#!/bin/sh
# Pounds brought in by each customer, the most first; customers with the same weight by name.
# Usage: daybook.sh FILE
# A line of FILE: customer,pounds. Corrections are negative. Empty lines and lines that begin with # do not count.
# Customers whose corrections leave nothing are left out.
grep -v '^#' "$1" | while IFS=, read -r customer pounds; do
    echo "$customer $pounds"
done | awk '
    { total[$1] += $2 }
    END { for (name in total) print name "," total[name] }
' | sort -t, -k2r
