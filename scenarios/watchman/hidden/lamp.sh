wrong=0
while read -r lit out gills; do
    said=$(python3 lamp.py "$lit" "$out")
    [ "$said" = "$gills" ] || { echo "$lit $out: $said, not $gills"; wrong=1; }
done <<'END'
18:00 20:00 4
18:00 18:01 1
18:00 18:30 1
18:00 18:31 2
23:59 00:01 1
21:30 05:10 16
06:00 06:00 48
00:00 23:59 48
22:45 22:44 48
12:00 00:00 24
END
[ $wrong = 0 ] && echo "the lamps are right"
exit $wrong
