"""The reproduction table: which runs it consists of, their records, and what is made of them."""
