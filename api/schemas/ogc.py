"""OGC's processes, their executions and jobs, and both kinds of jobs together."""

from __future__ import annotations

from collections.abc import Mapping

from api.schemas.words import (
    ADDRESS,
    ANY_OBJECT,
    LINKS,
    MOMENT,
    TEXT,
    WHOLE,
    YES_OR_NO,
    Schema,
    by_name,
    many,
    record,
    ref,
)

OGC_SUMMARY: Mapping[str, Schema] = {
    "title": TEXT,
    "description": TEXT,
    "keywords": many(TEXT),
    "jobControlOptions": many({"type": "string", "enum": ["sync-execute", "async-execute", "dismiss"]}),
    "outputTransmission": many({"type": "string", "enum": ["value", "reference"]}),
    "mutable": YES_OR_NO,
    "links": LINKS,
}
OGC_OUTPUT = record({"schema": {}}, {"title": TEXT, "description": TEXT})
OGC_INPUT = record({"title": TEXT, "schema": {}}, {"description": TEXT, "minOccurs": WHOLE, "maxOccurs": {}})

SCHEMAS: Mapping[str, Schema] = {
    "OgcProcesses": record(
        {"processes": many(ref("OgcSummary")), "links": LINKS}, text="A page of processes."
    ),
    "OgcSummary": record({"id": TEXT, "version": TEXT}, OGC_SUMMARY, "What can be executed."),
    "OgcProcess": record(
        {"id": TEXT, "version": TEXT, "inputs": by_name(OGC_INPUT), "outputs": by_name(OGC_OUTPUT)},
        OGC_SUMMARY,
        "What can be executed, with its inputs and outputs.",
    ),
    "AnyProcess": {
        "description": "A process, as openEO or as OGC describes it.",
        "anyOf": [ref("Process"), ref("OgcProcess")],
    },
    "Execute": record(
        {},
        {
            "inputs": by_name({}),
            "outputs": by_name(
                record(
                    {},
                    {
                        "transmissionMode": {"type": "string", "enum": ["value", "reference"]},
                        "format": record({}, {"mediaType": TEXT}),
                    },
                )
            ),
            "response": {"type": "string", "enum": ["raw", "document"]},
            "subscriber": record(
                {}, {"successUri": ADDRESS, "inProgressUri": ADDRESS, "failedUri": ADDRESS, "secret": TEXT}
            ),
        },
        "What a process is given, and what of its outputs is wanted how.",
    ),
    "Package": record(
        {"executionUnit": {"description": "A graph of openEO, as `value`."}},
        {"processDescription": ANY_OBJECT},
        "An application package: a process of openEO, described as OGC does.",
    ),
    "StatusInfo": record(
        {
            "jobID": TEXT,
            "type": {"type": "string", "enum": ["process"]},
            "status": {
                "type": "string",
                "enum": ["accepted", "running", "successful", "failed", "dismissed"],
            },
        },
        {
            "processID": TEXT,
            "message": TEXT,
            "created": MOMENT,
            "started": MOMENT,
            "finished": MOMENT,
            "updated": MOMENT,
            "progress": {"type": "integer", "minimum": 0, "maximum": 100},
            "links": LINKS,
        },
        "How far the execution of a process is.",
    ),
    "OgcJobs": record({"jobs": many(ref("StatusInfo")), "links": LINKS}, text="A page of jobs."),
    "AnyJob": {
        "description": "A batch job of openEO, or the execution of an OGC process.",
        "anyOf": [ref("Job"), ref("StatusInfo")],
    },
    "Outputs": {"description": "The outputs by name; or, as they are, the one that was asked for."},
    "AnyResults": {
        "description": "A STAC collection, or the outputs of an execution.",
        "anyOf": [ref("Results"), ref("Outputs")],
    },
    "AnyJobs": record({"jobs": many(ref("AnyJob")), "links": LINKS}, text="Jobs, all or a page of them."),
}
