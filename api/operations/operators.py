"""Who may look after the service: everybody where no keys are asked for, else the keys of admins."""

from typing import Annotated

from fastapi import Depends

from api.keys import CallerDep
from darkroom.errors import DarkroomError


class OperatorsOnly(DarkroomError):
    code = "operators_only"


async def _operator(caller: CallerDep) -> str:
    if not caller.is_admin:
        raise OperatorsOnly(
            "This is for operators. Use a key of the role admin, or put this key's name into DARKROOM_ADMIN_KEYS."
        )
    return caller.name


OperatorDep = Annotated[str, Depends(_operator)]
