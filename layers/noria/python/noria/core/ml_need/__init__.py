"""IsMlNeeded?: a rule suffices, the data hold signal, or the problem must be stated anew."""
