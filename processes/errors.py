"""What can go wrong inside a process, under the names that openEO gives. No status codes here.

ProcessError
├── ProcessParameterInvalid      an argument that the schema lets pass and the process cannot use
├── NoDataAvailable, DataCubeEmpty, TemporalExtentEmpty, ...      about what was asked for
└── DimensionNotAvailable, ArrayElementNotAvailable, ...          about what was given
"""

from __future__ import annotations


class ProcessError(Exception):
    """A process could not give a result."""

    def __init__(self, message: str = "", *, hint: str | None = None, parameter: str | None = None) -> None:
        super().__init__(message or self.default_message())
        self.hint = hint
        """The way out, as a sentence."""
        self.parameter = parameter
        """The parameter at fault, where one is."""

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), str(self), self.hint, self.parameter)

    @classmethod
    def default_message(cls) -> str:
        """The message without facts: the first line of the class's docstring."""
        return (cls.__doc__ or "").strip().partition("\n")[0]

    @property
    def code(self) -> str:
        """The name of the exception as the process descriptions list it."""
        return type(self).__name__


def _rebuild(cls: type[ProcessError], message: str, hint: str | None, parameter: str | None) -> ProcessError:
    return cls(message, hint=hint, parameter=parameter)


class ProcessParameterInvalid(ProcessError):
    """The value of a parameter cannot be used."""


class DimensionNotAvailable(ProcessError):
    """The cube has no dimension of that name."""


class DimensionMissing(ProcessError):
    """The cube has no dimension of the type that is needed."""


class DimensionAmbiguous(ProcessError):
    """The cube has no dimension of type `bands`, or more than one."""


class TargetDimensionExists(ProcessError):
    """The cube has a dimension of the target's name already."""


class DimensionExists(ProcessError):
    """The cube has a dimension of that name already."""


class DimensionLabelCountMismatch(ProcessError):
    """Only a dimension with a single label can be dropped."""


class LabelExists(ProcessError):
    """The dimension has a label of that name already."""


class LabelMismatch(ProcessError):
    """There are not as many new labels as old ones."""


class LabelNotAvailable(ProcessError):
    """The dimension has no label of that name."""


class LabelsNotEnumerated(ProcessError):
    """The labels are not 0, 1, 2, ..., so that the old ones have to be named."""


class UnitMismatch(ProcessError):
    """The distance is in metres and the coordinates are not."""


class CountMismatch(ProcessError):
    """There are fewer points to be sampled than geometries."""


class InvalidRuntime(ProcessError):
    """There is no such runtime for user-defined functions."""


class InvalidVersion(ProcessError):
    """There is no such version of the runtime."""


class BandExists(ProcessError):
    """The cube has a band of the target's name already."""


class NirBandAmbiguous(ProcessError):
    """It is not clear which band is the near infrared one."""


class RedBandAmbiguous(ProcessError):
    """It is not clear which band is the red one."""


class BandFilterParameterMissing(ProcessError):
    """Neither band names nor wavelengths were given to filter by."""


class TooManyDimensions(ProcessError):
    """The cube has more than one temporal dimension, and nothing says which one is meant."""


class DimensionMismatch(ProcessError):
    """The temporal dimensions of the two cubes do not go together."""


class DistinctDimensionLabelsRequired(ProcessError):
    """The new labels are not all different from each other."""


class KernelDimensionsUneven(ProcessError):
    """The kernel has an even number of rows or columns, so that it has no centre."""


class DataCubePropertiesImmutable(ProcessError):
    """A child graph changed dimensions or labels that have to stay as they are."""


class GeometriesOverlap(ProcessError):
    """A cell is in more than one of the polygons."""


class IncompatibleDataCubes(ProcessError):
    """The two cubes do not fit together."""


class IncompatibleGeometryTypes(ProcessError):
    """Points, lines and polygons cannot be merged with each other."""


class OverlapResolverMissing(ProcessError):
    """The cubes overlap and nothing says which value is to be kept."""


class ArrayLabelConflict(ProcessError):
    """Both arrays have an element of the same label."""


class ArrayNotLabeled(ProcessError):
    """The array has no labels to look one up in."""


class ArrayLengthMismatch(ProcessError):
    """There are more values than labels, or fewer."""


class ArrayElementNotAvailable(ProcessError):
    """The array has no element at that index or label."""


class ArrayElementParameterMissing(ProcessError):
    """Neither an index nor a label says which element is meant."""


class ArrayElementParameterConflict(ProcessError):
    """Both an index and a label were given; only one of them may be."""


class QuantilesParameterMissing(ProcessError):
    """Neither probabilities nor a number of intervals was given."""


class QuantilesParameterConflict(ProcessError):
    """Both probabilities and `q` were given; only one of them may be."""


class AscendingProbabilitiesRequired(ProcessError):
    """The probabilities are not in ascending order."""


class MinMaxSwapped(ProcessError):
    """The minimum is greater than the maximum."""


class DivisionByZero(ProcessError):
    """A number cannot be divided by zero here."""


class MultiplicandMissing(ProcessError):
    """A multiplication needs at least two numbers."""


class NoDataAvailable(ProcessError):
    """Nothing in the source fits what was asked for."""


class TemporalExtentEmpty(ProcessError):
    """The interval of time is empty: its end has to be later than its start."""


class PropertiesUnsupported(ProcessError):
    """The source cannot be filtered by properties."""


class FormatUnsuitable(ProcessError):
    """The file format cannot hold this data."""


class DataCubeEmpty(ProcessError):
    """The cube has nothing in it to be written."""


class FileNotFound(ProcessError):
    """There is no such file."""


class InvalidOgcApiProcess(ProcessError):
    """The server has no process of that name."""


class DigitalElevationModelInvalid(ProcessError):
    """The collection is no elevation model, or not one for this cube."""
