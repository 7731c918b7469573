"""The event by which a version of the endpoint is asked again what it, or another, was asked.

An HTTP API writes an event's uppermost keys itself, so that no caller can send one of this form.
"""

REPLAY = "noria.replay"
ROWS, ANSWERS = "rows", "answers"
