"""A way to the best reward in games whose hidden state says how: each yields the moves of all players in turn.

They read the state of a game at its start (and after each of their own moves, for those that need to), and serve as
gold solutions; where several play, the others let the first player win.
"""

import itertools
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any


def guess_the_number(env: Any) -> Iterator[str]:
    yield f"[{env.state.game_state['game_number']}]"


def tower_of_hanoi(env: Any) -> Iterator[str]:
    def move(disks: int, source: str, target: str, spare: str) -> Iterator[str]:
        if disks:
            yield from move(disks - 1, source, spare, target)
            yield f"[{source} {target}]"
            yield from move(disks - 1, spare, target, source)

    yield from move(len(env.state.game_state["towers"]["A"]), "A", "C", "B")


def frozen_lake(env: Any) -> Iterator[str]:
    grid, start, goal = env.state.game_state["grid"], tuple(env.player_pos), tuple(env.goal_pos)
    ahead, ways = deque([start]), {start: []}
    while goal not in ways:
        row, column = here = ahead.popleft()
        for name, (down, right) in env.actions.items():
            there = (row + down, column + right)
            inside = 0 <= there[0] < len(grid) and 0 <= there[1] < len(grid)
            if inside and there not in ways and grid[there[0]][there[1]] != "H":
                ways[there] = [*ways[here], name]
                ahead.append(there)
    yield from (f"[{name}]" for name in ways[goal])


def mastermind(env: Any) -> Iterator[str]:
    yield "[" + " ".join(map(str, env.state.game_state["secret_code"])) + "]"


def lights_out(env: Any) -> Iterator[str]:
    """Chasing the lights: what the first row presses decides all other rows."""
    grid = [list(row) for row in env.state.game_state["grid"]]
    size, best = len(grid), None
    for first in itertools.product((False, True), repeat=size):
        lit = [list(row) for row in grid]
        presses = []
        for row in range(size):
            for column in range(size):
                if first[column] if row == 0 else lit[row - 1][column]:
                    presses.append((row, column))
                    for down, right in ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)):
                        if 0 <= row + down < size and 0 <= column + right < size:
                            lit[row + down][column + right] ^= True
        if not any(map(any, lit)) and (best is None or len(presses) < len(best)):
            best = presses
    yield from (f"[{row} {column}]" for row, column in best or [])


def sudoku(env: Any) -> Iterator[str]:
    board = env.state.game_state["board"]
    for row, column in itertools.product(range(9), repeat=2):
        if board[row][column] == 0:
            yield f"[{row + 1} {column + 1} {env.full_grid[row][column]}]"


def logic_puzzle(env: Any) -> Iterator[str]:
    for rows in env.game_board_solution.values():
        for row, columns in rows.items():
            for column, mark in columns.items():
                yield f"[{row} {column} {mark}]"


def crosswords(env: Any) -> Iterator[str]:
    board = env.state.game_state["board"]
    for row, letters in enumerate(env.state.game_state["solution"]):
        for column, letter in enumerate(letters):
            if letter != "." and board[row][column] == "_":
                yield f"[{row} {column} {letter}]"


def secretary(env: Any) -> Iterator[str]:
    draws = env.state.game_state["draws"]
    yield from ["[continue]"] * draws.index(max(draws))
    yield "[accept]"


def peg_jump(env: Any) -> Iterator[str]:
    jumps = [jump for start, over, end in env.ALLOWED_MOVES for jump in ((start, over, end), (end, over, start))]

    def search(board: tuple[bool, ...], dead: set[tuple[bool, ...]]) -> list[tuple[int, int]] | None:
        if sum(board[1:]) == 1:
            return []
        for start, over, end in jumps:
            if board[start] and board[over] and not board[end]:
                after = list(board)
                after[start] = after[over] = False
                after[end] = True
                key = tuple(after)
                if key not in dead and (rest := search(key, dead)) is not None:
                    return [(start, end), *rest]
        dead.add(board)
        return None

    yield from (f"[{start} {end}]" for start, end in search(tuple(env.state.game_state["board"]), set()) or [])


def three_card_monte(env: Any) -> Iterator[str]:
    yield f"[{env.ball_pos}]"


def minesweeper(env: Any) -> Iterator[str]:
    yield f"[{env.rows // 2} {env.cols // 2}]"
    while True:
        cells = itertools.product(range(env.rows), range(env.cols))
        row, column = next((r, c) for r, c in cells if env.grid[r][c] != -1 and not env.revealed[r][c])
        yield f"[{row} {column}]"


def tic_tac_toe(env: Any) -> Iterator[str]:
    yield from ("[0]", "[3]", "[1]", "[4]", "[2]")


def connect_four(env: Any) -> Iterator[str]:
    yield from ("[col 0]", "[col 1]") * 3
    yield "[col 0]"


def nim(env: Any) -> Iterator[str]:
    """The first player leaves a nim-sum of nought (Bouton 1901); the second takes one of the fullest pile."""
    while True:
        piles = env.state.game_state["piles"]
        total = 0
        for pile in piles:
            total ^= pile
        index = next((i for i, pile in enumerate(piles) if pile ^ total < pile), piles.index(max(piles)))
        yield f"[{index} {max(1, piles[index] - (piles[index] ^ total))}]"
        piles = env.state.game_state["piles"]
        yield f"[{piles.index(max(piles))} 1]"


def prisoners_dilemma(env: Any) -> Iterator[str]:
    yield from itertools.cycle(("Let us both cooperate.", "Gladly.", "[Defect]", "[Cooperate]"))


SOLUTIONS: dict[str, Callable[[Any], Iterator[str]]] = {
    "ConnectFour": connect_four,
    "Crosswords": crosswords,
    "FrozenLake": frozen_lake,
    "GuessTheNumber": guess_the_number,
    "IteratedPrisonersDilemma": prisoners_dilemma,
    "LightsOut": lights_out,
    "LogicPuzzle": logic_puzzle,
    "Mastermind": mastermind,
    "Minesweeper": minesweeper,
    "Nim": nim,
    "PegJump": peg_jump,
    "Secretary": secretary,
    "Sudoku": sudoku,
    "ThreeCardMonte": three_card_monte,
    "TicTacToe": tic_tac_toe,
    "TowerOfHanoi": tower_of_hanoi,
}
