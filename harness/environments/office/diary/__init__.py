"""Time in an office: the calendar, who is free when, the clock, and waiting."""
