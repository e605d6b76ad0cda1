"""How long calls are kept: deletes what is due, erases persons, proves that nothing is left of them."""
