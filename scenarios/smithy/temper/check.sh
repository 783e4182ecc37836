#!/bin/bash
# Usage: bash check.sh
bad=0
try() {
  got=$(python3 temper.py "$1")
  if [ "$got" = "$2" ]; then echo "ok $1"; else echo "FAIL $1: wanted $2, got $got"; bad=1; fi
}
try 200 none
try 230 yellow
try 260 brown
try 290 purple
exit $bad
