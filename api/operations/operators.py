"""Who may look after the service: everybody where there are no keys, else the keys that `DARKROOM_ADMIN_KEYS` names."""

from typing import Annotated

from fastapi import Depends

from api.keys import ANONYMOUS, OwnerDep
from api.services import Services, ServicesDep
from darkroom.errors import DarkroomError


class OperatorsOnly(DarkroomError):
    code = "operators_only"


def is_operator(owner: str, services: Services) -> bool:
    # Without keys the API binds loopback alone.
    return owner == ANONYMOUS or owner in services.settings.admin_keys


def _operator(owner: OwnerDep, services: ServicesDep) -> str:
    if not is_operator(owner, services):
        raise OperatorsOnly("This is for operators. Put this key's name into DARKROOM_ADMIN_KEYS, or use another key.")
    return owner


OperatorDep = Annotated[str, Depends(_operator)]
