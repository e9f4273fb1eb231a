"""Other ways to send texts, each as its documentation shows it, for `make bench`."""
