"""Domains in the words of OGC's Coverage Implementation Schema 1.1, and as a JSON schema."""

from __future__ import annotations

import math
from typing import Any

from engine.domain.model import Axis, Domain, Field

Json = dict[str, Any]
INDEX = "http://www.opengis.net/def/crs/OGC/0/Index{}D"
TYPES = {
    "uint8": "unsignedByte", "int8": "signedByte", "uint16": "unsignedShort", "int16": "signedShort",
    "uint32": "unsignedInt", "int32": "signedInt", "uint64": "unsignedLong", "int64": "signedLong",
    "float16": "float16", "float32": "float32", "float64": "float64",
}  # fmt: skip
"""OGC's names of the types of values."""
DATA_TYPE = "http://www.opengis.net/def/dataType/OGC/0/"
INDICES = "ijklmnopq"
"""Names of the axes of the array."""
JSON_SCHEMA = "https://json-schema.org/draft/2020-12/schema"


def domain_set(domain: Domain) -> Json:
    """Where there are values. Bounds are texts, as the schema of GDC has them; values run with rising coordinates."""
    axes = domain.told
    grid: Json = {
        "type": "GeneralGridCoverage",
        "axisLabels": [axis.label for axis in axes],
        "axis": [axis_json(axis) for axis in axes],
        "gridLimits": grid_limits(axes),
    }
    if domain.reference is not None:
        grid["srsName"] = domain.reference.uri
    return {"type": "DomainSet", "generalGrid": grid}


def axis_json(axis: Axis) -> Json:
    """One axis."""
    told: Json = {"axisLabel": axis.label, "uomLabel": axis.unit or "1"}
    if axis.is_even:
        low, high = axis.bounds()
        ends = {"lowerBound": repr(float(low)), "upperBound": repr(float(high))}
        return {"type": "RegularAxis", **told, **ends, "resolution": abs(axis.step)}
    return {"type": "IrregularAxis", **told, "coordinate": list(axis.labels)}


def grid_limits(axes: tuple[Axis, ...]) -> Json:
    """How many cells there are along each axis."""
    names = [INDICES[n] if n < len(INDICES) else f"i{n}" for n in range(len(axes))]
    return {
        "type": "GridLimits",
        "srsName": INDEX.format(len(axes)),
        "axisLabels": names,
        "axis": [
            {"type": "IndexAxis", "axisLabel": name, "lowerBound": 0, "upperBound": axis.count - 1}
            for name, axis in zip(names, axes, strict=True)
        ],
    }


def range_type(domain: Domain) -> Json:
    """Which values there are."""
    return {"type": "DataRecord", "field": [field_json(field, domain) for field in domain.fields]}


def field_json(field: Field, domain: Domain) -> Json:
    """One field, in the stored numbers."""
    kind = TYPES.get(domain.data_type, domain.data_type)
    told: Json = {
        "type": "Count" if field.classified else "Quantity",
        "name": field.name,
        "id": f"urn:x-gdc:{field.name}",
        "definition": f"ogcType:{kind}",
        "uom": {"type": "UnitReference", "code": "1" if field.is_scaled or not field.unit else field.unit},
        "encodingInfo": {"dataType": DATA_TYPE + kind},
    }
    if field.common_name:
        told["description"] = field.common_name
    if domain.nodata is not None and math.isfinite(domain.nodata):
        told["nilValues"] = [
            {"reason": "http://www.opengis.net/def/nil/OGC/0/missing", "value": plain(domain.nodata)}
        ]
    if field.is_scaled:
        told["scaleFactor"], told["offset"] = field.scale or 1.0, field.offset or 0.0
    return told


def plain(number: float) -> float | int:
    """A whole number without a point."""
    return int(number) if number == int(number) else number


def schema_of(domain: Domain, place: str, title: str) -> Json:
    """The logical schema of the values of a cell, as a JSON schema; `place` is where it stands."""
    is_float = domain.data_type.startswith("float")
    properties: Json = {}
    for number, field in enumerate(domain.fields, 1):
        told: Json = {
            "title": field.name,
            "type": "number" if is_float else "integer",
            "x-ogc-propertySeq": number,
        }
        if field.common_name:
            told["description"] = field.common_name
        if field.unit and not field.is_scaled:
            told["x-ogc-unit"] = field.unit
        if domain.nodata is not None and math.isfinite(domain.nodata):
            told["x-ogc-nilValues"] = [plain(domain.nodata)]
        if field.is_scaled:
            told["x-ogc-valueScale"], told["x-ogc-valueOffset"] = field.scale or 1.0, field.offset or 0.0
        properties[field.name] = told
    return {"$schema": JSON_SCHEMA, "$id": place, "title": title, "type": "object", "properties": properties}
