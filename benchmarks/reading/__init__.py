"""How well replies are read: the labelled set, what is measured on it, and the fit of the second reader."""
