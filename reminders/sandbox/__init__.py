"""A stand-in carrier: a separate HTTP process that keeps Twilio's contract for texts and calls.

It knows nothing of Django. `server.build_app` puts it together; `management/sandbox.py` starts it.
"""
