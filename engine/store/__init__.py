"""What is kept: the journal, recordings. SQLAlchemy and files."""
