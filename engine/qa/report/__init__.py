"""From scored calls to what people take away: one page that needs nothing but itself. Pure; no file, no clock.

``tally`` counts, ``page`` says it. Rules: what is unknown is shown as unknown, never as failed; a share is shown with what it
rests on; who has few calls is not ranked; every text from elsewhere is escaped (``markup``).
"""
