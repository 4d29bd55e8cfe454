"""Configuration as code: what `manage.py apply` reads, compares and brings about."""
