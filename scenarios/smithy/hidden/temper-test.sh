#!/bin/bash
# Every colour at its edge and beyond; exits 1 at the first wrong one.
try() {
  got=$(python3 temper.py "$1")
  if [ "$got" != "$2" ]; then echo "wanted $2 at $1, got $got"; exit 1; fi
}
try 219 none
try 220 yellow
try 239 yellow
try 240 straw
try 279 brown
try 299 purple
try 300 blue
try 900 blue
