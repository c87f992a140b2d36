"""One repository per table. They neither commit nor catch: the transaction's owner does."""
