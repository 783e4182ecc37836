"""Templates say what they mean, and cannot reach out, run away or blow up."""

from __future__ import annotations

import time

import pytest

from harness.spec import TemplateError, evaluate, render
from harness.spec.templates import read_expression, read_template

WORLD = {
    "input": {"items": [1, 2, 3], "order": "A-7", "note": {"by": ["ann", {"age": 5}]}},
    "actions": [{"kind": "tool", "name": "query", "step": n} for n in range(4)]
    + [{"kind": "say", "name": "", "step": 4}],
    "visits": {"act": 2},
    "answer": None,
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ input.order }}", "A-7"),
        ("{{ input.items }}", "[1, 2, 3]"),
        ("{{ input.note.by[1].age ** 2 }}", "25"),
        ("{{ input['order'].lower().replace('-', '') }}", "a7"),
        (
            "{% for x in input.items %}{{ loop.index }}/{{ loop.length }}{{ ', ' if not loop.last }}{% endfor %}",
            "1/3, 2/3, 3/3",
        ),
        ("{% set total = input.items | sum %}{{ total }}", "6"),
        ("{% with a = 1 %}{{ a + 1 }}{% endwith %}", "2"),
        ("{{ visits.plan | default(0) }}", "0"),
        ("{{ 'x' if input.gone is defined else 'y' }}", "y"),
        ("{{ input.get('gone', 4) }}", "4"),
        ("{{ input | tojson }}", '{"items": [1, 2, 3], "note": {"by": ["ann", {"age": 5}]}, "order": "A-7"}'),
        ("{{ 'é<b>' | tojson }} {{ '<b>' }}", '"é<b>" <b>'),
        ("{{ '%05.2f' | format(3.14159) }}", "03.14"),
        ("{{ actions | map(attribute='name') | select | join(', ') }}", "query, query, query, query"),
        ("{{ ['b', 'a'] | map('upper') }}", "['B', 'A']"),
        ("{{ 'a' * 3 ~ 1 }}", "aaa1"),
        ("{{ range(3) | list }}", "[0, 1, 2]"),
        ("one\n{% if true %}\ntwo\n{% endif %}\nthree\n", "one\ntwo\nthree"),
    ],
)
def test_templates_render(template: str, text: str) -> None:
    assert render(template, WORLD) == text


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("actions | selectattr('kind', 'eq', 'tool') | list | length", 4),
        ("actions | map(attribute='step')", [0, 1, 2, 3, 4]),
        ("visits.get('act', 0) > 1 and input.order.startswith('A')", True),
        ("answer", None),
        ("{'a': input['items']}", {"a": [1, 2, 3]}),
        ("input.order in ['A-7']", True),
    ],
)
def test_expressions_have_values(expression: str, value: object) -> None:
    assert evaluate(expression, WORLD) == value


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{{ input.ordr }}", "there is no field 'ordr' here; there are items, order, note (did you mean order?)"),
        ("{{ nothing }}", "unknown name 'nothing'"),
        ("{{ input.gone.deeper }}", "there is no field 'gone' here"),
        ("{{ 'a' ~ input.gone }}", "there is no field 'gone' here"),
        ("{% if input.gone %}{% endif %}", "there is no field 'gone' here"),
        ("{{ actions[9] }}", "a list of 5 has no 9"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ 'a' + 1 }}", "TypeError"),
        ("{{ }}", "Expected an expression"),
        ("{% if %}", "Expected an expression"),
    ],
)
def test_mistakes_are_one_line(template: str, reason: str) -> None:
    with pytest.raises(TemplateError) as caught:
        render(template, WORLD)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__ }}",
        "{{ input.__class__.__mro__ }}",
        "{{ input.order.lower.__self__ }}",
        "{{ input.order.lower.func }}",
        "{{ range.__globals__ }}",
        "{{ self }}",
        "{{ self._TemplateReference__context }}",
        "{% for x in [1] %}{{ loop._iterator }}{% endfor %}",
        "{{ loop.__class__ }}",
        "{{ lipsum() }}",
        "{{ cycler.__init__ }}",
        "{{ namespace() }}",
        "{{ input | attr('keys') }}",
        "{{ input['__class__'] }}",
        "{{ input.order.format(1) }}",
        "{{ '{0.__class__}'.format(1) }}",
        "{{ input.order.encode() }}",
        "{{ input.pop('order') }}",
        "{{ input.items.append(1) }}",
        "{{ input.update({'a': 1}) }}",
        "{% set input.order = 1 %}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}",
        "{% from 'os' import path %}",
        "{% extends 'x' %}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% call input() %}{% endcall %}",
        "{% block a %}{% endblock %}",
        "{% filter upper %}a{% endfilter %}",
        "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
        "{{ input() }}",
        "{{ [1] | random }}",
        "{{ '<b>' | safe }}",
    ],
)
def test_templates_reach_nothing_but_their_data(template: str) -> None:
    with pytest.raises(TemplateError):
        render(template, WORLD)


@pytest.mark.parametrize(
    "template",
    [
        "{{ 'a' * 10**9 }}",
        "{{ 10**9 * 'a' }}",
        "{{ [1] * 10**8 }}",
        "{{ (10**1000)**1000 }}",
        "{{ 2**4000 * 2**4000 }}",
        "{{ " + "9" * 5000 + " }}",
        "{{ '%1000000000d' | format(1) }}",
        "{{ '%*d' | format(1000000000, 1) }}",
        "{{ '%.1000000000f' % 1.0 }}",
        "{{ 'a' | center(1000000000) }}",
        "{{ 'a' | indent(1000000000) }}",
        "{{ 'aaaa' | replace('a', 'b' * 9000000) }}",
        "{{ 'aaaa'.replace('', 'b' * 9000000) }}",
        "{{ 'x'.join(['a' * 1000000] * 100) }}",
        "{{ ['a' * 1000000] * 100 | join }}",
        "{{ input | tojson(indent=1000000000) }}",
        "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
        "{{ range(10**9) | list }}",
        "{% set a = 'x' * 1000000 %}" + "{% set a = a ~ a %}" * 40,
        "{% set a = 'x' * 1000000 %}" + "{% set a = a + a %}" * 40,
        "{% set a = [1, 1] %}" + "{% set a = [a, a] %}" * 40 + "{{ a }}",
        "{% set a = [1, 1] %}" + "{% set a = [a] * 2 %}" * 40 + "{{ a | string | length }}",
        "{% set a = {'k': 1} %}" + "{% set a = {'k': a, 'l': a} %}" * 40 + "{{ a | tojson }}",
        "{% for a in [[1, 1]] %}" + "{% for a in [[a, a]] %}" * 18 + "{{ a }}" + "{% endfor %}" * 19,
        "{{ 'x' * 900000 }}{{ 'x' * 900000 }}",
        "{{ ('%(a)s' * 20000) | format(a='x' * 1000000) | length }}",
        "{{ '%(a)100000000s' | format(a=1) | length }}",
        "{{ 1 | round(10000000, 'ceil') }}",
        "{{ 1 | round(-100000000) }}",
        "{{ [1] | map('round', -100000000) | list }}",
        "{{ ('f' * 9000000) | int(base=16) // ('f' * 4500000) | int(base=16) }}",
        "{% set a = 'x' * 1000000 %}{{ ([a] * 50000) | map('upper') | list | length }}",
        "{% set a = 'x' * 1000000 %}{% set b = [" + "a[1:]," * 3000 + "] %}",
        "{% set a = 'x' * 1000000 %}{% for i in range(100000) %}{% set b = a | upper %}{% endfor %}",
        "{% set a = 'x' * 1000000 %}{% for i in range(100000) %}{% set b = a.split('x') %}{% endfor %}",
        "{% set a = 'x' * 1000000 %}{% for i in range(100000) %}{% set b = a | list | sort %}{% endfor %}",
        "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
        "{{ " + "[" * 3000 + "]" * 3000 + " }}",
        "x" * 300_000,
    ],
)
def test_templates_are_bounded(template: str) -> None:
    begin = time.process_time()
    with pytest.raises(TemplateError) as caught:
        render(template, WORLD)
    assert time.process_time() - begin < 10
    assert len(str(caught.value)) < 500


def test_rendering_leaves_the_data_as_it_was() -> None:
    data = {"input": {"items": [3, 1, 2]}}
    render("{{ input.items | sort }}{{ input.items | reverse | list }}", data)
    assert data == {"input": {"items": [3, 1, 2]}}


def test_what_a_template_takes_is_known_without_rendering() -> None:
    reading = read_template("{{ input.a }} {{ input['b'].c }} {{ input.d | default(1) }} {% set x = 1 %}{{ x }}{{ y }}")
    assert reading.undeclared == {"input", "y"}
    assert {(use.field, use.guarded) for use in reading.fields} == {("a", False), ("b", False), ("d", True)}
    assert read_expression("last.kind == 'say' and input.get('x')").undeclared == {"last", "input"}


def test_an_error_knows_its_line() -> None:
    with pytest.raises(TemplateError) as caught:
        read_template("one\ntwo {{ a | nonsense }}\n")
    assert caught.value.line == 2
