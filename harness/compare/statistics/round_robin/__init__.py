"""Where everybody meets everybody: the social relations model, and ratings from who beat whom."""
