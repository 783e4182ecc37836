"""The outline of a page: what Playwright's accessibility tree becomes, and what a model's words for a thing mean."""

import pytest

from harness.environments.browser.outline import Element, Numbers, find, outline


def lines(tree: str) -> list[str]:
    return list(outline(tree, Numbers()).lines)


def test_boxes_that_say_nothing_are_left_out_and_labels_are_not_said_twice() -> None:
    tree = """\
- generic [ref=e1]:
  - generic [ref=e2]:
    - generic [ref=e3]:
      - text: "Name:"
      - textbox "Name" [ref=e4]: Kit
    - generic [ref=e5]: "a: b"
"""
    assert lines(tree) == ['[e1] textbox "Name" = "Kit"', "a: b"]


def test_rows_and_lists_are_lines_and_keep_their_links() -> None:
    tree = """\
- table [ref=e1]:
  - rowgroup [ref=e2]:
    - row [ref=e3]:
      - columnheader "Item" [ref=e4]
      - columnheader [ref=e5]
    - row [ref=e6]:
      - cell "Tin, 3 l" [ref=e7]:
        - link "Tin, 3 l" [ref=e8] [cursor=pointer]:
          - /url: /goods/1
      - cell "3.50" [ref=e9]
- list [ref=e10]:
  - listitem [ref=e11]: plain
  - listitem [ref=e12]:
    - text: see
    - link "more" [ref=e13] [cursor=pointer]:
      - /url: /more
"""
    assert lines(tree) == [
        "| Item | |", '| [e1] link "Tin, 3 l" -> /goods/1 | 3.50 |', "- plain", '- see [e2] link "more" -> /more',
    ]  # fmt: skip


def test_what_can_be_clicked_without_being_a_button_is_an_item() -> None:
    tree = '- generic [ref=e1] [cursor=pointer]: Open the box\n- img "A map" [ref=e2]\n'
    assert lines(tree) == ['[e1] item "Open the box"', "(picture: A map)"]


def test_names_with_quotes_colons_and_other_scripts_come_through() -> None:
    tree = """- 'button "Say \\"yes\\": now" [ref=e1]'\n- button "здравствуй" [ref=e2]\n- text: "2026-03-02"\n"""
    assert lines(tree) == ['[e1] button "Say "yes": now"', '[e2] button "здравствуй"', "2026-03-02"]


def test_long_lines_are_cut_and_say_so() -> None:
    (line,) = lines(f"- paragraph [ref=e1]: {'word ' * 200}\n")
    assert len(line) < 440
    assert line.endswith("... (999 characters)")


def test_an_empty_page_has_no_lines() -> None:
    assert lines("") == []


PAGE = outline(
    """\
- button "Order" [ref=e1]
- link "Order" [ref=e2]:
  - /url: /order
- textbox "Search" [ref=e3]
- button "Search" [ref=e4]
""",
    Numbers(),
)


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("e1", "e1"), ("[e2]", "e2"), ('button "Order"', "e1"), ('link "order"', "e2"), (' textbox  "x"', None),
        ("Order", None), ("e9", None), ("e3", "e3"), ('"Search"', None), ("", None),
    ],
)  # fmt: skip
def test_what_words_mean(words: str, meant: str | None) -> None:
    found = find(words, PAGE, last=12)
    assert (found.ref if isinstance(found, Element) else None) == meant


def test_of_two_of_one_name_the_one_is_meant_that_fits_what_is_done() -> None:
    found = find("Search", PAGE, 4, lambda element: element.role == "textbox")
    assert isinstance(found, Element) and found.ref == "e3"
    assert find("Order", PAGE, 4) == (
        'Order may be any of e1 (button "Order"), e2 (link "Order"); say which by its reference.'
    )
    assert "e9 is no longer on the page" in str(find("e9", PAGE, 12))
    assert "There is no e9 on the page" in str(find("e9", PAGE, 4))
