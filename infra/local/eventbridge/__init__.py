"""Amazon EventBridge: events go to the targets of rules, and schedules fire when asked to."""
