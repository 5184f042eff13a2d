"""The ports on real technology, one room each; they do not know each other."""
