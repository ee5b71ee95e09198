"""Names that an operator gives: what they may consist of, and how long they may be."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from engine.packages import Package
from engine.queryables import Queryable

MAKERS = [(lambda name: Package(name=name), 100), (lambda name: Queryable(name=name, type="string"), 200)]


@pytest.mark.parametrize(("make", "longest"), MAKERS)
def test_names_are_letters_up_to_a_length(make, longest):
    for name in ("a", "é_x-1.", "a" * longest):
        assert make(name).name == name
    for name in ("", "a b", "a/b", "a\n", "a" * (longest + 1)):
        with pytest.raises(ValidationError, match="name"):
            make(name)
