"""Noria's shared code: the lifecycle of one machine-learning problem, a package per room.

`noria.core.X` is pure (data in, data out); `noria.X` joins it with AWS and the network.
"""
