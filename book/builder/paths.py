"""Where everything lies."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Paths:
    """The folders of one checkout, for one profile.

    ``folder`` is where executed chapters lie; by default that of the profile, which the book is made of.
    """

    root: Path
    profile: str
    folder: str = ""

    @property
    def book(self) -> Path:
        return self.root / "book"

    @property
    def build(self) -> Path:
        return self.root / "_build"

    @property
    def executed(self) -> Path:
        return self.build / "executed" / (self.folder or self.profile)

    @property
    def failed(self) -> Path:
        return self.build / "failed" / (self.folder or self.profile)

    @property
    def running(self) -> Path:
        """Work of the build that is running now; nothing in it survives the build."""
        return self.build / "running" / (self.folder or self.profile)

    @property
    def staged(self) -> Path:
        return self.build / "src"

    @property
    def html(self) -> Path:
        return self.build / "html"
