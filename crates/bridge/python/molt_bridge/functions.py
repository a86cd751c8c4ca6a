"""Functions of python-legacy in Rust: each takes a batch and works without the interpreter."""

from molt_bridge._native import read_items

__all__ = ["read_items"]
