"""The project: the only place that knows all apps."""
