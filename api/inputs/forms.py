"""Forms with files in them, as clients send pictures."""

from darkroom.errors import DarkroomError


class MalformedForm(DarkroomError):
    code = "malformed_form"
