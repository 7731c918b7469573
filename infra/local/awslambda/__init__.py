"""AWS Lambda: functions run in processes of their own, with their layers, limits and versions."""
