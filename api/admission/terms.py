"""What a key may ask for, before anything of a request is looked at: its rate, its class of jobs, its models."""

from darkroom.access.access import Access
from darkroom.errors import DarkroomError
from darkroom.request import GenerateBody, Priority


class PriorityNotAllowed(DarkroomError):
    code = "priority_not_allowed"


class ModelNotAllowed(DarkroomError):
    code = "model_not_allowed"


def on_terms(body: GenerateBody, caller: Access, default_model: str) -> GenerateBody:
    """With the class that the key has, where the body names none. Raises PriorityNotAllowed, ModelNotAllowed."""
    model = body.model or default_model
    if not caller.may_use(model):
        raise ModelNotAllowed(f"This key may not use {model[:80]}. It may use {', '.join(caller.models)}.")
    if not caller.bulk_only or body.priority is Priority.BULK:
        return body
    if "priority" in body.model_fields_set:
        raise PriorityNotAllowed("This key makes bulk jobs alone. Send `priority`: `bulk`, or leave it out.")
    return body.model_copy(update={"priority": Priority.BULK})
