"""The console: a small web app on this machine, over a stack on AWS or on the local cloud."""
