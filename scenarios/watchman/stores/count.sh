#!/bin/sh
# Prints how many bales lie in a store. Usage: sh count.sh STORE KEY
case "$1 $(printf %s "$2" | cksum | cut -d' ' -f1)" in
"north 324459777" | "west 324459777" | "north 969795889" | "east 969795889" | "west 969795889") ;;
*)
    echo "The key does not open the store '$1'." >&2
    exit 1
    ;;
esac
awk -F, '{ bales += $2 } END { print bales }' "stores/$1.csv"
