wrong=0
while read -r time bells; do
    said=$(python3 bell.py "$time")
    [ "$said" = "$bells" ] || { echo "$time: $said, not $bells"; wrong=1; }
done <<'END'
00:00 8
00:01 0
00:29 0
00:30 1
03:59 7
04:00 8
09:30 3
12:00 8
12:20 0
14:59 5
16:00 8
16:30 1
17:59 3
18:00 4
18:10 0
18:30 1
19:00 2
19:30 3
19:59 3
20:00 8
23:30 7
END
[ $wrong = 0 ] && echo "the bells are right"
exit $wrong
