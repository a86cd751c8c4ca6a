"""Reads from a FastAPI application what its OpenAPI document does not show, and writes it as JSON.

It needs nothing but the application's own Python. It imports the application; it never starts the
application's lifespan and sends no request to it. Whatever cannot be read becomes a remark in the
JSON, never a failure.
"""
