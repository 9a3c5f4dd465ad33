"""What can go wrong in a way that a reader of the message can put right."""


class BuildError(Exception):
    """Stops the build; its text says what was wrong and what to do."""
