"""What a call can end in, other than its answer."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from darkroom.client.answers import Job


class ClientError(Exception):
    """The message says what, and what to do."""


class Unreachable(ClientError):
    """No answer came, or none of this API's."""


class Refused(ClientError):
    """The server's word. `code` is one of the API's documentation."""

    def __init__(self, status: int, code: str, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.retry_after_s = retry_after_s


class JobEnded(ClientError):
    """A job that was waited for has failed, or was canceled."""

    def __init__(self, job: "Job") -> None:
        reason = f": {job.error.message}" if job.error else "."
        super().__init__(f"Job {job.id} {'was canceled' if job.status == 'canceled' else 'failed'}{reason}")
        self.job = job
