#!/bin/bash
# Weighs three piles with the mended tool; exits 1 at the first wrong sum.
pile=$(mktemp)
try() {
  got=$(bash weigh.sh "$pile")
  if [ "$got" != "$1" ]; then echo "wanted $1, got $got"; exit 1; fi
}
printf 'bar 12\nrod 5\nplate 20\n' > "$pile"; try 37
printf '# none\n' > "$pile"; try 0
printf 'a 1\n# b 100\nc 2\nd 3\n' > "$pile"; try 6
