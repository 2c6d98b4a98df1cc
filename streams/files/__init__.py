"""Files in and out: CSV tables, recorded logs and their mappings."""
