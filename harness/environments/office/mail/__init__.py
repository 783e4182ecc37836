"""Letters of an office: what a mail is, how it is shown, sent, answered, and what comes with it."""
