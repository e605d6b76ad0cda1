"""How each language says numbers, sums, dates and telephone numbers; one file a language, behind ``SpokenLanguage``."""
