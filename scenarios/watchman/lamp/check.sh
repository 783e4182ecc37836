#!/bin/sh
# The harbour master's check of lamp.py.
wrong=0
expect() {
    said=$(python3 lamp.py "$1" "$2")
    if [ "$said" != "$3" ]; then
        echo "lamp.py $1 $2 says $said, not $3"
        wrong=1
    fi
}
expect 18:00 20:00 4
expect 18:00 20:10 5
expect 21:30 05:10 16
[ $wrong = 0 ] && echo "all well"
exit $wrong
