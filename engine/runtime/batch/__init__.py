"""Recordings by the thousand: heard, masked and scored in worker processes, each accounted for in the ledger."""
