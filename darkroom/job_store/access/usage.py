"""What an owner asked for, by day and model. The script that makes a job counts it in the same step."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from darkroom.job_store import keys
from darkroom.job_store.redis_client import Client, redis_errors

EPOCH = date(1970, 1, 1)
KEPT_DAYS = 31


@dataclass(frozen=True)
class Used:
    jobs: int
    megapixel_steps: float


@dataclass(frozen=True)
class Day:
    date: date
    total: Used
    models: Mapping[str, Used]


class Usage:
    def __init__(self, client: Client) -> None:
        self._redis = client

    def days(self, owner: str, count: int = KEPT_DAYS) -> list[Day]:
        """Those with jobs among the last so many, today first. Raises RedisUnavailable."""
        with redis_errors():
            today = datetime.fromtimestamp(self._redis.time()[0], UTC).date()
            dates = [today - timedelta(days=age) for age in range(count)]
            pipe = self._redis.pipeline(transaction=False)
            for each in dates:
                pipe.hgetall(keys.USAGE(owner, str((each - EPOCH).days)))
            records = pipe.execute()
        return [_day(each, record) for each, record in zip(dates, records, strict=True) if record]

    def today(self, owner: str) -> float:
        """Megapixel-steps. Raises RedisUnavailable."""
        with redis_errors():
            day = int(self._redis.time()[0]) // 86_400
            return float(self._redis.hget(keys.USAGE(owner, str(day)), "work") or 0)


def _day(of: date, record: Mapping[str, str]) -> Day:
    names = sorted(name.removeprefix("jobs ") for name in record if name.startswith("jobs "))
    models = {name: _used(record, f" {name}") for name in names if int(record[f"jobs {name}"])}
    return Day(of, _used(record, ""), models)


def _used(record: Mapping[str, str], suffix: str) -> Used:
    # Sums of fractions; what comes back of canceled jobs leaves dust.
    return Used(int(record[f"jobs{suffix}"]), round(float(record[f"work{suffix}"]), 6))
