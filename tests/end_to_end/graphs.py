"""Small hands for writing process graphs in tests."""

from __future__ import annotations


def node(process_id, /, result=False, **arguments):
    """One node of a graph."""
    return {"process_id": process_id, "arguments": arguments} | ({"result": True} if result else {})


def ref(name):
    """The result of another node."""
    return {"from_node": name}


def param(name):
    """The value of a parameter."""
    return {"from_parameter": name}


def child(**nodes):
    """A child graph; the last node is its result."""
    last = list(nodes)[-1]
    return {
        "process_graph": {
            n: {**given, **({"result": True} if n == last else {})} for n, given in nodes.items()
        }
    }


def reducer(process_id, **arguments):
    """A child graph of one process over the array `data`."""
    return child(only=node(process_id, data=param("data"), **arguments))
