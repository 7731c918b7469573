"""What is uploaded: layers, functions and code, built without Docker; and the set-up of .venv."""
