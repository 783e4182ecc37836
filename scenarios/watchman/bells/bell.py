"""How many bells are struck at a time of day: python3 bell.py 09:30. The rule is in bells.md."""

import sys


def bells(time):
    hours, minutes = map(int, time.split(":"))
    return (hours % 4) * 2 + round(minutes / 60)


if __name__ == "__main__":
    print(bells(sys.argv[1]))
