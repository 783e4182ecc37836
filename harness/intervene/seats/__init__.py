"""Every seat of a scenario crossed with every model: which seatings there are, and their sweep."""
