"""The version of the rules. Whoever changes a verdict raises it."""

VERSION = "1.4"
