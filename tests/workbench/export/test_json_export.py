"""JSON and JSONL: the schema, exactness, and the way back."""

import json
from importlib.resources import files
from typing import Any

import jsonschema_rs
import msgspec
import pytest
from tests.workbench.runs import START, answered, pages, plan, prompt, rows_of, run, summary, target, whole

from ownkey.domain.errors import InvalidRequest
from ownkey.workbench.chat import build_context
from ownkey.workbench.export import FORMATS, export_csv, export_html, export_json, export_jsonl, export_junit, read_json
from ownkey.workbench.export.document import PlanRecord, RequestRecord, TargetRecord, json_schema
from ownkey.workbench.figures import Figures
from ownkey.workbench.records import (
    Arrival,
    EndpointKind,
    Judge,
    Objectives,
    Observation,
    Prices,
    Result,
    RunPlan,
    RunStatus,
    Target,
    Timing,
)


def stored_schema() -> dict[str, Any]:
    return json.loads(files("ownkey.workbench.export").joinpath("run.schema.json").read_text("utf-8"))


async def exported(**fields: Any) -> dict[str, Any]:
    return json.loads(await whole(export_json(run(**fields))))


def test_the_schema_file_is_the_one_the_types_give() -> None:
    assert stored_schema() == json_schema()


@pytest.mark.parametrize("targets", [1, 2])
async def test_an_export_is_valid_by_its_schema(targets: int) -> None:
    validator = jsonschema_rs.Draft202012Validator(stored_schema(), validate_formats=True)
    validator.validate(await exported(targets=targets))
    validator.validate(await exported(rows=[], targets=targets, status=RunStatus.CANCELLED))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema",), "ownkey.workbench.run/2"),
        (("run", "created_at"), "yesterday"),
        (("results", 0, "cost_usd"), "1e3"),
        (("results", 0, "outcome"), "fine"),
        (("summary", "targets", 0, "metrics", "latency_ms", "p95"), "fast"),
    ],
)
async def test_the_schema_refuses_what_the_reader_refuses(path: tuple[Any, ...], value: Any) -> None:
    document = await exported()
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert not jsonschema_rs.Draft202012Validator(stored_schema(), validate_formats=True).is_valid(document)
    with pytest.raises(InvalidRequest):
        read_json(json.dumps(document).encode())


async def test_a_metric_block_holds_every_figure_and_its_formula() -> None:
    document = await exported()
    assert document["schema"] == "ownkey.workbench.run/1"
    block = document["summary"]["targets"][0]["metrics"]["latency_ms"]
    assert set(block) == {
        *("unit", "avg", "min", "max", "p50", "p95", "p99", "std", "count", "cautions", "formula"),
    }
    assert block["formula"] == "last content chunk − request sent"
    assert block["cautions"] == ["p95", "p99"]


async def test_money_is_a_decimal_text_and_time_is_rfc_3339() -> None:
    document = await exported()
    assert document["plan"]["max_cost_usd"] == "1.5"
    assert document["targets"][0]["prices"] == {
        "input_usd_per_million": "0.15",
        "output_usd_per_million": "0.6",
        "source": "catalogue",
    }
    assert document["results"][0]["cost_usd"] == "0.0000906"
    assert document["run"]["started_at"] == "2025-11-24T16:00:00.250000Z"


async def test_what_an_endpoint_claims_to_have_cost_is_written_however_much_it_is() -> None:
    most = 2 * 10**12 * 10**9  # Two trillion tokens at a million dollars a million.
    rows = [(prompt(), answered(prompt(), cost=1000 * most))]
    document = await exported(rows=rows, targets=1)
    assert document["results"][0]["cost_usd"] == str(1000 * most // 10**9)
    jsonschema_rs.Draft202012Validator(stored_schema(), validate_formats=True).validate(document)


async def test_the_time_per_output_token_is_that_of_its_definition() -> None:
    result = answered(prompt(), e2e_ms=1000.0)
    whole_answer = answered(prompt(), e2e_ms=1000.0, streamed=False)
    rows = [(prompt(), result), (prompt(), whole_answer)]
    first, second = (await exported(rows=rows, targets=1))["results"]
    assert first["tpot_ms"] == pytest.approx((1000 - 250) / 142)
    assert first["output_tokens_per_second"] == pytest.approx(143)
    assert second["tpot_ms"] is None


async def test_a_key_in_an_address_is_not_exported() -> None:
    hidden = target(base_url="https://user:sk-secret@models.example:8443/v1?api-key=sk-secret#sk-secret")
    for name, kind in FORMATS.items():
        told = await whole(kind.export(run(targets=1, plan=plan(1, targets=(hidden,)))))
        assert b"sk-secret" not in told, name


async def test_a_run_comes_back_as_it_was() -> None:
    rows = rows_of()
    rows.append((prompt(10), answered(prompt(10), seq=99, cautions=("The usage cannot be right.",))))
    judged = plan(2, judge=Judge("maker/judge"), arrival=Arrival.POISSON, rate=2.5, objectives=Objectives(e2e_ms=900.0))
    before = run(rows, plan=judged, detail="ended early")
    after = read_json(await whole(export_json(before)))
    assert after.plan == before.plan
    assert after.summary == before.summary
    assert (after.id, after.status, after.detail) == (before.id, before.status, before.detail)
    assert (after.created_at, after.started_at, after.ended_at) == (START, START + 0.25, START + 100)
    back = [row async for row in after.results]
    assert [asked for asked, _ in back] == [asked for asked, _ in rows]
    assert [_rounded(result) for _, result in back] == [_rounded(result) for _, result in rows]


def _rounded(result: Result) -> Result:
    """Times of day survive to a microsecond."""
    timing = result.observation.timing
    timing = msgspec.structs.replace(timing, sent_at=round(timing.sent_at, 5), ended_at=round(timing.ended_at, 5))
    return msgspec.structs.replace(result, observation=msgspec.structs.replace(result.observation, timing=timing))


@pytest.mark.parametrize("export", [export_csv, export_jsonl, export_junit, export_html, export_json])
async def test_a_file_read_back_exports_to_the_same_bytes(export: Any) -> None:
    stored = await whole(export_json(run()))
    assert await whole(export(read_json(stored))) == await whole(export(run()))


async def test_the_figures_of_the_engine_export_and_come_back() -> None:
    rows, made = rows_of(), plan(2)
    counted = Figures(made)
    for _, result in rows:
        counted.add(result)
    figures = counted.summary()
    stored = await whole(export_json(run(rows, plan=made, summary=figures)))
    jsonschema_rs.Draft202012Validator(stored_schema(), validate_formats=True).validate(json.loads(stored))
    assert read_json(stored).summary == figures
    for kind in FORMATS.values():
        assert await whole(kind.export(read_json(stored)))
    context = await build_context(made, figures, pages(rows), 8000)
    assert "formula of latency_ms" in context.system


async def test_a_line_is_an_element_of_the_documents_results() -> None:
    lines = (await whole(export_jsonl(run()))).splitlines()
    assert [json.loads(line) for line in lines] == (await exported())["results"]


@pytest.mark.parametrize(
    ("record", "told", "kept_elsewhere"),
    [
        # `peer` is the address of a person: no file has it.
        (RunPlan, PlanRecord, {"targets", "max_cost", "peer"}),
        (Target, TargetRecord, set[str]()),
        (Prices, None, {"input", "output", "source"}),
        (Result, RequestRecord, {"slot", "observation"}),
        (Observation, RequestRecord, {"timing", "text", "cost"}),
        (Timing, RequestRecord, set[str]()),
    ],
)
def test_every_field_of_a_record_has_its_place_in_the_document(
    record: Any, told: Any, kept_elsewhere: set[str]
) -> None:
    names = {field.name for field in msgspec.structs.fields(record)}
    there = {field.name for field in msgspec.structs.fields(told)} if told else set[str]()
    assert names - there == kept_elsewhere


async def test_a_gateway_target_without_address_comes_back() -> None:
    plain = Target(id="t", label="l", kind=EndpointKind.GATEWAY, model="m", credential="my key")
    stored = await whole(export_json(run(targets=1, plan=plan(1, targets=(plain,)))))
    assert read_json(stored).plan.targets == (plain,)


BAD_FILES: list[tuple[bytes, str]] = [
    (b"", "empty"),
    (b" \n", "empty"),
    (b"seq,label\r\n1,x\r\n", "not JSON"),
    (b"\xff\xfe{\x00", "not in UTF-8"),
    (b'{"schema": "ownkey.workbench.run/1", "run": {"id": "', "cut off"),
    (b'{"run_id": 1}\n{"run_id": 2}\n', "only JSON can be read back"),
    (b'{"schema": "ownkey.workbench.run/1"} {}', "JSONL"),
    (b"[1, 2]", "not an exported run"),
    (b'{"results": []}', "`schema` must be"),
    (b'{"schema": 7}', "`schema` must be"),
    (b'{"schema": "ownkey.workbench.run/9"}', "this version of Ownkey reads"),
    (b'{"schema": "ownkey.workbench.run/1"}', "`run`"),
    (b'{"schema": "ownkey.workbench.run/1", "x": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", "deeply"),
]


@pytest.mark.parametrize(("data", "said"), BAD_FILES, ids=[said for _, said in BAD_FILES])
def test_a_file_that_is_no_exported_run_is_told_what_it_is(data: bytes, said: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_json(data)
    assert said in caught.value.public
    assert "xport the run again" in caught.value.public or "`schema` must be" in caught.value.public


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("results", 3, "target"), 5, "`$.results[3].target` names number 5"),
        (("results", 3, "target"), -1, "`$.results[3].target`"),
        (("results", 2, "tokens", "input"), "many", "`$.results[2].tokens.input`"),
        (("summary", "targets", 1, "target"), 2, "`$.summary.targets[1].target`"),
        (("summary", "comparisons", 0, "b"), 2, "`$.summary.comparisons[0].b`"),
        (("summary", "targets", 0, "cost_usd"), "much", "`$.summary.targets[0].cost_usd`"),
        (("results", 0, "e2e_ms"), 1e300, "`$.results[0].e2e_ms`"),
        (("targets",), [], "no target"),
    ],
)
async def test_a_file_changed_by_hand_is_told_where_it_is_wrong(path: tuple[Any, ...], value: Any, said: str) -> None:
    document = await exported()
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(InvalidRequest, match="The file") as caught:
        read_json(json.dumps(document).encode())
    assert said in caught.value.public


async def test_a_byte_order_mark_and_keys_of_a_later_version_do_no_harm() -> None:
    document = await exported()
    document["later"] = {"new": 1}
    document["results"][0]["later"] = 1
    again = read_json(b"\xef\xbb\xbf" + json.dumps(document).encode())
    assert len([row async for row in again.results]) == 20


async def test_a_run_without_results_is_a_whole_document() -> None:
    made = run([], targets=1, started_at=None, ended_at=None, status=RunStatus.CANCELLED, results=pages([]))
    document = json.loads(await whole(export_json(made)))
    assert document["results"] == []
    assert document["run"]["started_at"] is None
    assert read_json(json.dumps(document).encode()).summary == summary([], 1)
