"""The reproduction table: the plan of its runs, their records, and the pages made from them."""
