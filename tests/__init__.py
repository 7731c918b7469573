"""Tests: unit (pure), functions, infra (templates), local (the local cloud), e2e, bench."""
