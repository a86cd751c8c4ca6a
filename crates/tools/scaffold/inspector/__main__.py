"""Starts the inspector: `python FOLDER --app app.main:app --output inspection.json`."""

from molt_inspector.command import main

main()
