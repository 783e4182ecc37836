#!/bin/bash
# Usage: weigh.sh FILE
# Prints the sum of the weights. Each line is "name weight"; lines that begin with # do not count.
total=0
while read -r name weight; do
  case $name in '#'*) continue ;; esac
  total=$weight
done < "$1"
echo "$total"
