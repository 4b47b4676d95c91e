"""Import of CSV files: handed in, looked at, mapped, and taken in row by row like events of any other door."""
