"""Asking servers what they offer, without trusting them and without calling a tool."""
