"""From files to what they mean: reading, explaining what is wrong, following references, inlining, checking."""
