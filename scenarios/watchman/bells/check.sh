#!/bin/sh
# The harbour master's check of bell.py.
wrong=0
expect() {
    said=$(python3 bell.py "$1")
    if [ "$said" != "$2" ]; then
        echo "bell.py $1 says $said, not $2"
        wrong=1
    fi
}
expect 09:30 3
expect 12:00 8
expect 14:59 5
expect 18:30 5
expect 20:00 8
[ $wrong = 0 ] && echo "all well"
exit $wrong
