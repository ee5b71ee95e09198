"""openEO's processes, computations, jobs and their results."""

from __future__ import annotations

from collections.abc import Mapping

from api.schemas.words import (
    ANY_OBJECT,
    ASSETS,
    COLLECTION_EXTENT,
    GRAPH,
    LEVEL,
    LINKS,
    MOMENT,
    NAME,
    NUMBER,
    PARAMETER,
    REQUEST,
    STATUS,
    TEXT,
    WHOLE,
    WORD,
    YES_OR_NO,
    Schema,
    by_name,
    many,
    maybe,
    record,
    ref,
)

DESCRIPTION: Mapping[str, Schema] = {
    "summary": TEXT,
    "description": TEXT,
    "parameters": many(PARAMETER),
    "returns": ANY_OBJECT,
    "categories": many(TEXT),
    "deprecated": YES_OR_NO,
    "experimental": YES_OR_NO,
}

SCHEMAS: Mapping[str, Schema] = {
    "Processes": record(
        {"processes": many(ref("Process")), "links": LINKS}, text="Processes, all or a page of them."
    ),
    "Process": record(
        {"id": TEXT, "description": TEXT, "parameters": many(PARAMETER), "returns": ANY_OBJECT},
        DESCRIPTION,
        "A predefined process.",
    ),
    "FileFormats": record(
        {"input": by_name(ref("FileFormat")), "output": by_name(ref("FileFormat"))},
        text="The formats that are read and written.",
    ),
    "FileFormat": record(
        {"gis_data_types": many(TEXT), "parameters": by_name(ANY_OBJECT)},
        {"title": TEXT, "description": TEXT},
        "A file format and its options.",
    ),
    "UdfRuntimes": {
        **by_name(
            record(
                {"type": TEXT, "default": TEXT, "versions": by_name(ANY_OBJECT)},
                {"title": TEXT, "description": TEXT},
            )
        ),
        "description": "The runtimes of user-defined functions, by name.",
    },
    "ProcessingParameters": record(
        {
            "create_job_parameters": many(PARAMETER),
            "create_service_parameters": many(PARAMETER),
            "create_synchronous_parameters": many(PARAMETER),
        },
        text="What requests take besides what openEO has.",
    ),
    "Node": record(
        {"process_id": {"type": "string", "minLength": 1}, "arguments": ANY_OBJECT},
        {"namespace": maybe(TEXT), "description": maybe(TEXT), "result": YES_OR_NO},
        "One call of a process; arguments may be references to other nodes and to parameters.",
    ),
    "ProcessGraph": record(
        {"process_graph": {**by_name(ref("Node")), "minProperties": 1}},
        {"id": maybe(WORD), "public": maybe(YES_OR_NO), **{k: maybe(v) for k, v in DESCRIPTION.items()}},
        "A process as a graph of nodes, one of which is the result.",
    ),
    "Computation": record(GRAPH, REQUEST, "A process to be computed at once."),
    "Faults": record({"errors": many(ref("Error"))}, text="All that is wrong with a process."),
    "UserProcess": record(
        {"id": NAME, "process_graph": ANY_OBJECT}, text="A process that a user stored, as it was given."
    ),
    "UserProcesses": record(
        {"processes": many(record({"id": NAME})), "links": LINKS},
        text="Processes that the user stored, without their graphs.",
    ),
    "JobRequest": record(GRAPH, REQUEST, "A new batch job."),
    "JobChange": record({}, {**GRAPH, **REQUEST}, "Members of a job to be changed; null takes one away."),
    "Job": record(
        {"id": TEXT, "status": STATUS, "created": MOMENT},
        {
            **REQUEST,
            "process": ANY_OBJECT,
            "updated": MOMENT,
            "progress": {"type": "number", "minimum": 0, "maximum": 100},
            "queue_position": {"type": "integer", "minimum": 1},
            "costs": NUMBER,
            "usage": ANY_OBJECT,
        },
        "A batch job.",
    ),
    "Jobs": record({"jobs": many(ref("Job")), "links": LINKS}, text="Jobs, all or a page of them."),
    "Estimate": record(
        {"costs": NUMBER, "duration": TEXT, "size": WHOLE},
        {"downloads_included": maybe(WHOLE), "usage": ANY_OBJECT},
        "What a job will take, at most.",
    ),
    "LogEntry": record(
        {"id": TEXT, "level": LEVEL, "message": TEXT},
        {"time": MOMENT, "code": maybe(TEXT), "data": {}},
        "One entry of a log.",
    ),
    "Logs": record({"logs": many(ref("LogEntry")), "links": LINKS}, {"level": LEVEL}, "Entries of a log."),
    "Results": record(
        {
            "type": {"type": "string", "enum": ["Collection"]},
            "stac_version": TEXT,
            "id": TEXT,
            "description": TEXT,
            "license": TEXT,
            "extent": COLLECTION_EXTENT,
            "assets": ASSETS,
            "links": LINKS,
        },
        {"title": TEXT, "stac_extensions": many(TEXT), "openeo:status": STATUS, "expires": MOMENT},
        "The results of a job as a STAC collection.",
    ),
}
