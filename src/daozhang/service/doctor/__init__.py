"""Doctor: looks at a deployment from outside and inside, and says what is not well and what to do.
It owns no table and changes nothing; the command line and the console call it."""
