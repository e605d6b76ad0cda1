"""Who may do what: roles, permissions, how wrong passwords are slowed, the audit chain's arithmetic. Pure."""
