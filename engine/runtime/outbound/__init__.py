"""Outbound calls: the driver that dials, the lines it dials over, and what it says to whom."""
