"""``make ablations``: what one run of the book cannot afford. See `book.ablations.__main__`."""
