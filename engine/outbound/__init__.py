"""Campaigns: who may be called, when, how often, and what became of it. Pure: time and facts come in, decisions go out."""
