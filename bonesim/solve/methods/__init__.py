"""Methods are tableaux: data that check themselves against the order they claim when they are made."""
