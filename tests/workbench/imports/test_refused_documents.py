"""YAML and JSON that cannot be read, or ask for what is not done here. Lines and columns are exact."""

import pytest
from tests.workbench.imports.reading import places, problems, suite

from ownkey.workbench.records import Check, Message
from ownkey.workbench.suites.imports import ImportOptions, SuiteFormat


def one(text: str, filename: str, **limits: int) -> tuple[int, int | None, str]:
    [problem] = problems(text, filename, None, **limits)
    return problem.line, problem.column, problem.message


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("prompts: [a]\ntests: [\n", 3, 1, "YAML is not valid"),
        ("prompts:\n\t- a", 2, 1, "YAML is not valid"),
        ("a: b: c", 1, 5, "mapping values are not allowed"),
        ("é: \x01", 1, 4, "control character"),
        ('prompts: "\\ud800"', 1, 13, "YAML is not valid"),
        ('prompts: ["a\\0b"]', 1, 11, "NUL"),
        ("prompts: [a]\nprompts: [b]", 2, 1, "“prompts” is here twice; its first value is in line 1"),
        (
            "prompts: !!python/object/apply:os.system [ls]",
            1,
            10,
            "tag “tag:yaml.org,2002:python/object/apply:os.system”",
        ),
        ("prompts: [!!str 5]", 1, 11, "is not accepted"),
        ("prompts: [a]\n---\nprompts: [b]", 2, 1, "second YAML document"),
        ("prompts: [*a]", 1, 11, "alias *a"),
        ("prompts: &a [*a]", 1, 14, "alias *a"),
        ("? [a]\n: b", 1, 3, "A key must be a plain text"),
        ("# only this\n", 0, None, "empty"),
        ("[" * 100, 1, 65, "more than 64 deep"),
        ("- " * 100, 1, 129, "more than 64 deep"),
        ("n: 123456789012345678901234567890", 1, 4, "too many digits"),
        ("n: .nan", 1, 4, "not finite"),
        ("n: 1e999", 1, 4, "not finite"),
        ("just a text", 1, 1, "must be an object"),
        ("name: x", 1, 1, "neither prompts nor tests"),
    ],
)
def test_yaml_that_cannot_be_read(text: str, line: int, column: int | None, words: str) -> None:
    found = one(text, "a.yaml")
    assert found[:2] == (line, column)
    assert words in found[2]


def test_a_yaml_bomb_is_refused_where_its_expansion_passes_the_limit() -> None:
    line, _, message = one(BOMB, "a.yaml")
    assert line == 6
    assert "more than 300,000 values once its aliases are expanded" in message


def test_aliases_that_make_a_document_deep_are_refused() -> None:
    levels = "".join(f"l{n}: &l{n} [[*l{n - 1}]]\n" for n in range(1, 40))
    assert "deep in each other" in one("l0: &l0 x\n" + levels, "a.yaml")[2]


def test_yaml_values_mean_what_they_mean_to_promptfoo() -> None:
    found = suite(
        "shared: &shared {yes_no: yes, day: 2024-01-01, n: 0x10}\n"
        "prompts: ['{{yes_no}} {{day}} {{n}} {{flag}} {{own}}']\n"
        "tests: [{vars: {<<: *shared, flag: true, own: 5.0}}]\n",
        "a.yaml",
    )
    assert found.prompts[0].messages == (Message("user", "yes 2024-01-01 16 true 5"),)


def test_lines_are_those_of_an_editor_though_yaml_counts_other_characters_as_line_ends() -> None:
    assert one('prompts: ["a\u2028b\u0085c"]\r\nfoo: *no', "a.yaml")[:2] == (2, 6)


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ('[\n {"prompt": "a"},\n {"prompt": "b",}\n]', 3, 17, "a key in double quotes is missing"),
        ('[{"prompt": "a"}', 1, 17, "“,” or “]” is missing"),
        ('[{"prompt": "a}\n]', 1, 16, "line break"),
        ('[{"prompt": "a', 1, 13, "no end quote"),
        ('[{"prompt": "\\ud800"}]', 1, 13, "surrogate pair (\\ud800)"),
        ('[{"prompt": "\\u0000"}]', 1, 13, "NUL"),
        ('[{"prompt": "\\x"}]', 1, 14, "escape"),
        ('[{"prompt": "a",\n"prompt": "b"}]', 2, 1, "“prompt” is here twice; its first value is in line 1"),
        ('[{"n": NaN}]', 1, 8, "“NaN” is not a JSON value"),
        ('[{"n": -Infinity}]', 1, 8, "not a JSON value"),
        ('[{"n": 01}]', 1, 8, "not a JSON value"),
        ('[{"n": 1e999}]', 1, 8, "too large"),
        ('[{"n": ' + "1" * 5_000 + "}]", 1, 8, "too many digits"),
        ("[" * 100_000, 1, 65, "more than 64 deep"),
        ('{"a":' * 100_000, 1, 321, "more than 64 deep"),
        ("[] []", 1, 4, "more text after the end"),
        ("[,]", 1, 2, "a value is missing"),
        ("{'prompt': 1}", 1, 2, "a key in double quotes is missing"),
        ('"text"', 1, 1, "must be a list"),
        ("[]", 0, None, "no prompts"),
        ('{"foo": 1}', 1, 1, "neither prompts nor tests"),
    ],
)
def test_json_that_cannot_be_read(text: str, line: int, column: int | None, words: str) -> None:
    found = one(text, "a.json")
    assert found[:2] == (line, column)
    assert words in found[2]


def test_json_with_too_many_values_is_refused() -> None:
    assert one("[" + "1," * 1_000 + "1]", "a.json", max_nodes=500)[:2] == (1, 1000)


def test_json_lines_are_told_apart() -> None:
    text = '{"prompt": "a"}\n\n{"prompt": NaN}\r\n[1]\n{"id": 1}\n{"prompt": 5}\n{"prompt": "b"}\n'
    assert [(problem.line, problem.column) for problem in problems(text, "a.jsonl")] == [
        (3, 12),
        (4, 1),
        (5, 1),
        (6, 12),
    ]
    wide = "{" + ", ".join(f'"c{n}": 1' for n in range(10_000)) + "}"
    assert "10,000 fields; at most 200" in one(wide, "a.jsonl")[2]


@pytest.mark.parametrize(
    ("test", "words"),
    [
        ("{assert: [{type: javascript, value: 'true'}]}", "“javascript” would run code"),
        ("{assert: [{type: not-python, value: 'True'}]}", "“python” would run code"),
        ("{assert: [{type: ruby, value: 'true'}]}", "“ruby” would run code"),
        ("{assert: [{type: webhook, value: 'http://x'}]}", "“webhook” would run code"),
        ("{assert: [{type: assert-set, assert: [{type: javascript, value: '1'}]}]}", "“javascript” would run code"),
        ("{assert: [{type: assert-set, threshold: 0.5, assert: []}]}", "assert-set with a threshold"),
        ("{assert: [{type: context-recall}]}", "“context-recall” is not supported. Use llm-rubric"),
        ("{assert: [{type: cotnains, value: a}]}", "“cotnains” is not known. Known are: contains,"),
        ("{assert: [{value: a}]}", "needs a type"),
        ("{assert: [{$ref: '#/a'}]}", "$ref are not followed"),
        ("{assert: [{type: contains, value: a, transform: output.x}]}", "“transform” would run code"),
        ("{assert: [{type: contains, valu: a}]}", "“valu” of a check is not known"),
        ("{assert: [{type: is-json, value: file://s.json}]}", "refers to a file"),
        ("{assert: [{type: contains, value: a, weight: -1}]}", "weight of a check must be from 0"),
        ("{assert: [{type: similar, value: a, threshold: 2}]}", "from 0 to 1"),
        ("{assert: [{type: contains-any, value: [a, '']}]}", "none of them blank"),
        ("{assert: [{type: regex, value: '(?<=x)'}]}", "RE2 does not take: invalid perl operator: (?<"),
        ("{assert: {type: contains}}", "must be a list"),
        ("{asert: []}", "“asert” of a test is not known"),
        ("{vars: file://v.yaml}", "Variables from another file"),
        ("{vars: {q: file://a.png}}", "“q” refers to a file"),
        ("{vars: {q: []}}", "empty list"),
        ("{options: {transform: output.trim()}}", "“transform” would run code"),
        ("{assertScoringFunction: file://s.js}", "“assertScoringFunction” would run code"),
        ("{providerOutput: x}", "asks no model"),
        ("{threshold: 7}", "from 0 to 1"),
        ("{prompts: [other]}", "No prompt has the label “other”"),
        ("file://tests.csv", "another file is not read"),
        ("5", "must be an object"),
    ],
)
def test_tests_of_promptfoo_that_cannot_be_kept_are_refused_by_name_at_their_line(test: str, words: str) -> None:
    line, _, message = one(f"prompts: ['Hi']\ntests:\n  - vars: {{}}\n  - {test}\n", "a.yaml")
    assert line == 4
    assert words in message


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("'{{ name | upper }}'", "uses the filter “upper”"),
        ("'{{ f(x) }}'", "calls a function"),
        ("'{{ a + b }}'", "is an expression"),
        ("'{{ a[0] }}'", "is an expression"),
        ("'{{- a -}}'", "cuts the blanks"),
        ("'{{ }}'", "is empty"),
        ("'{% if a %}x{% endif %}'", "The template statement “{% if %}”"),
        ("'{# note #}'", "comment"),
        ("'{{ a'", "never closed"),
        ("'{{env.KEY}}'", "environment"),
        ("'{{unknown}}'", "“unknown” has no value in the test of line 3; it knows: a"),
        ("'{{a.b}}'", "“a.b” has no value"),
        ("file://prompt.txt", "another file or system"),
        ("prompts/one.txt", "another file or system"),
        ("exec:./run.sh", "another file or system"),
        ("langfuse://x@production", "another file or system"),
        ("{raw: x, function: f}", "“function” of a prompt"),
        ("{label: x}", "text under raw"),
        ('\'[{"role": "user", "content": {{a}}}]\'', "put {{variables}} inside the quotes"),
        ('\'[{"role": "tool", "content": "x"}]\'', "role “tool”"),
        ('\'[{"role": "user", "content": [{"type": "image_url"}]}]\'', "not text"),
        ("' '", "blank"),
    ],
)
def test_prompts_of_promptfoo_that_cannot_be_kept(prompt: str, words: str) -> None:
    line, _, message = one(f"prompts:\n  - {prompt}\ntests: [{{vars: {{a: 1}}}}]", "a.yaml")
    assert line in {2, 3}
    assert words in message


@pytest.mark.parametrize("field", ["scenarios", "extensions", "nunjucksFilters", "redteam"])
def test_parts_of_a_configuration_that_change_what_is_tested_are_refused(field: str) -> None:
    assert places(f"prompts: [a]\ntests: [{{}}]\n{field}: [x]", "a.yaml") == [3]


def test_tests_in_another_file_are_refused_with_what_to_do() -> None:
    assert one("prompts: [a]\ntests: file://t.csv", "a.yaml") == (
        2,
        8,
        "Tests in another file are not read; import that file itself, or write the tests into this one as a list.",
    )


def test_combinations_of_lists_are_counted_before_they_are_made() -> None:
    variables = ", ".join(f"v{n}: [1,2,3,4,5,6,7,8,9,10]" for n in range(100))
    assert "combinations" in one(f"prompts: ['{{{{v1}}}}']\ntests: [{{vars: {{{variables}}}}}]", "a.yaml")[2]


def test_one_large_default_is_not_multiplied_without_end() -> None:
    text = f"prompts: ['{{{{a}}}}']\ndefaultTest: {{vars: {{a: '{'x' * 10_000}'}}}}\ntests: [{'{},' * 9_000}]"
    assert "more than 50,000,000 characters" in one(text, "a.yaml")[2]


def test_labels_choose_prompts_and_lists_of_tests_need_no_configuration() -> None:
    found = suite(
        "prompts: [{raw: 'A {{q}}', label: a}, {raw: B, label: b}]\ntests: [{vars: {q: 1}, prompts: [a]}]", "a.yml"
    )
    assert [prompt.id for prompt in found.prompts] == ["test-1.prompt-1"]
    listed = suite("- vars: {question: Hi}\n- vars: {question: Ho}", "tests.yaml")
    assert [prompt.messages[0].content for prompt in listed.prompts] == ["Hi", "Ho"]
    unexpanded = suite("- vars: {q: [1, a]}\n  options: {disableVarExpansion: true}", "tests.yaml")
    assert unexpanded.prompts[0].messages[0].content == '[1,"a"]'


def test_equality_with_an_object_becomes_a_schema() -> None:
    found = suite("prompts: [a]\ntests: [{assert: [{type: not-equals, value: {a: 1}}]}]", "a.yaml")
    assert found.prompts[0].checks == (Check("not-is-json", {"const": {"a": 1}}),)


@pytest.mark.parametrize(
    ("sample", "words"),
    [
        ('{"ideal": "x"}', "needs the field input"),
        ('{"input": 5, "ideal": "x"}', "must be a text"),
        ('{"input": [], "ideal": "x"}', "list of messages is empty"),
        ('{"input": [{"role": "user"}], "ideal": "x"}', "role and content"),
        ('{"input": [{"role": "user", "content": "a", "tool_calls": []}], "ideal": "x"}', "“tool_calls”"),
        ('{"input": "a", "ideal": ""}', "none of them blank"),
        ('{"input": "a", "ideal": {"b": 1}}', "must be a text or a number"),
        ('{"input": [{"role": "system", "content": "only"}], "ideal": "x"}', "blank"),
    ],
)
def test_samples_of_evals_that_cannot_be_kept(sample: str, words: str) -> None:
    text = '{"input": "ok", "ideal": "x"}\n' + sample
    [problem] = problems(text, "a.jsonl", ImportOptions(format=SuiteFormat.OPENAI_EVALS))
    assert problem.line == 2
    assert words in problem.message
