"""The one map of the flow: who sends each message and who receives it.

Broker topology, the AsyncAPI document and the README's diagram are made from it, and a service that
subscribes to or publishes anything else is refused at start.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from libs.common.contracts import batch as b
from libs.common.contracts import inference as i
from libs.common.contracts import tenants as t
from libs.common.contracts import webhooks as w
from libs.common.contracts.message import Durable, Message, Query, Signal

OPERATOR = "operator"
"""The platform's own people at a command line."""


@dataclass(frozen=True, slots=True)
class Queue:
    """A durable queue of one consumer service; its instances compete for the messages.

    concurrency: handlers at once in one process (what is fetched ahead is bounded by it).
    attempts: deliveries before a message is dead-lettered.
    delays: seconds before the second, third, … attempt; the last one repeats.
    lease_s: how long a handler may be silent; the adapters extend it while the handler runs.
    """

    name: str
    service: str
    messages: tuple[type[Durable], ...]
    concurrency: int = 8
    attempts: int = 8
    delays: tuple[float, ...] = (1, 5, 30, 120, 600)
    lease_s: float = 10


@dataclass(frozen=True, slots=True)
class Service:
    """What one service may do on the bus."""

    name: str
    publishes: tuple[type[Durable], ...] = ()
    queues: tuple[Queue, ...] = field(default=())
    requests: tuple[type[Query], ...] = ()  # type: ignore[type-arg]
    responds: tuple[type[Query], ...] = ()  # type: ignore[type-arg]
    signals: tuple[type[Signal], ...] = ()
    listens: tuple[type[Signal], ...] = ()


BATCH_QUERIES = (
    b.GetBatch,
    b.ListBatches,
    b.ListImages,
    b.GetImage,
    b.ListBatchEvents,
    b.CancelBatch,
    b.RetryBatch,
)
WEBHOOK_QUERIES = (
    w.CreateEndpoint,
    w.ListEndpoints,
    w.GetEndpoint,
    w.DeleteEndpoint,
    w.RotateSecret,
    w.TestEndpoint,
    w.ListDeliveries,
    w.Redeliver,
)
TENANT_QUERIES = (t.CreateTenant, t.ListTenants, t.IssueApiKey, t.ListApiKeys, t.RevokeApiKey)

API_KEYS = Queue("gateway.api_keys", "gateway", (t.ApiKeyIssued, t.ApiKeyRevoked))
SUBMISSIONS = Queue("batch.submissions", "batch", (b.SubmitBatch, b.SubmitImage), concurrency=8)
OUTCOMES = Queue("batch.outcomes", "batch", (i.ImagesRendered,), concurrency=32)
TENANT_WEIGHTS = Queue("batch.tenants", "batch", (t.TenantRegistered,), concurrency=2)
RENDERS = Queue("inference.renders", "inference", (i.RenderImages,), concurrency=4)
RENDERS_NOW = Queue("inference.renders_now", "inference", (i.RenderImagesNow,), concurrency=4)
NOTIFICATIONS = Queue(
    "webhooks.notifications", "webhooks", (b.BatchCompleted, b.BatchFailed, b.ImagesCompleted), concurrency=8
)

SERVICES: dict[str, Service] = {
    service.name: service
    for service in (
        Service(
            "gateway",
            publishes=(b.SubmitBatch, b.SubmitImage),
            queues=(API_KEYS,),
            requests=BATCH_QUERIES + WEBHOOK_QUERIES,
            signals=(t.ApiKeysChanged,),
            listens=(t.ApiKeysChanged, b.BatchProgressed),
        ),
        Service(
            "tenants",
            publishes=(t.TenantRegistered, t.ApiKeyIssued, t.ApiKeyRevoked),
            responds=TENANT_QUERIES,
        ),
        Service(
            "batch",
            publishes=(
                i.RenderImages,
                i.RenderImagesNow,
                b.BatchCompleted,
                b.BatchFailed,
                b.BatchCancelled,
                b.ImagesCompleted,
            ),
            queues=(SUBMISSIONS, OUTCOMES, TENANT_WEIGHTS),
            responds=BATCH_QUERIES,
            signals=(b.BatchProgressed,),
            listens=(i.WorkerSeen,),
        ),
        Service(
            "inference",
            publishes=(i.ImagesRendered,),
            queues=(RENDERS, RENDERS_NOW),
            signals=(i.WorkerSeen,),
        ),
        Service(
            "webhooks",
            publishes=(w.EndpointDisabled,),
            queues=(NOTIFICATIONS,),
            responds=WEBHOOK_QUERIES,
        ),
        Service(OPERATOR, requests=TENANT_QUERIES),
    )
}


def messages() -> tuple[type[Message], ...]:
    """Every message of the system, by its wire name."""
    found = {
        message
        for service in SERVICES.values()
        for message in (*service.publishes, *service.requests, *service.signals)
    }
    return tuple(sorted(found, key=lambda message: message.wire))


def queues() -> tuple[Queue, ...]:
    """Every queue of the system."""
    return tuple(queue for service in SERVICES.values() for queue in service.queues)


def consumers(message: type[Durable]) -> tuple[Queue, ...]:
    """The queues that receive `message`."""
    return tuple(queue for queue in queues() if message in queue.messages)


def producers(message: type[Message]) -> tuple[str, ...]:
    """The services that publish, request or signal `message`."""
    return tuple(
        service.name
        for service in SERVICES.values()
        if message in (*service.publishes, *service.requests, *service.signals)
    )
