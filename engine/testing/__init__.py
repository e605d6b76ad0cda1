"""Shipped doubles and contract suites for plug-in authors."""
