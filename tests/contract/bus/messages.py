"""Messages, queues and a service of our own for the suite: nothing here depends on the product's flow."""

from __future__ import annotations

from dataclasses import replace

from libs.common.contracts.flow import Queue, Service
from libs.common.contracts.message import Body, Command, Event, Query, Secret, Signal


class DoWork(Command):
    wire = "contract.do_work.v1"
    number: int = 0
    padding: str = ""


class WorkDone(Event):
    wire = "contract.work_done.v1"
    number: int = 0


class NobodyCares(Event):
    """Published by the service, consumed by no queue."""

    wire = "contract.nobody_cares.v1"


class Sum(Body):
    value: int
    secret: Secret
    worker: str = ""


class Add(Query[Sum]):
    wire = "contract.add.v1"
    reply = Sum
    left: int
    right: int


class NeverAnswered(Query[Sum]):
    wire = "contract.never_answered.v1"
    reply = Sum


class Blink(Signal):
    wire = "contract.blink.v1"
    number: int = 0


WORK = Queue("contract.work", "contract", (DoWork,), concurrency=2, attempts=3, delays=(0.4,), lease_s=1.5)
ONCE = replace(WORK, name="contract.once", messages=(WorkDone,), attempts=1)
AUDIT = replace(WORK, name="contract.audit", messages=(WorkDone,))
QUEUES = (WORK, ONCE, AUDIT)

SERVICE = Service(
    "contract",
    publishes=(DoWork, WorkDone, NobodyCares),
    queues=QUEUES,
    requests=(Add, NeverAnswered),
    responds=(Add,),
    signals=(Blink,),
    listens=(Blink,),
)
MUTE = Service("mute")
"""May do nothing."""
