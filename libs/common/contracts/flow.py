"""The one map of the flow: who sends each message and who receives it.

Broker topology, the AsyncAPI document and the README's diagram are made from it, and a service that
subscribes to or publishes anything else is refused at start.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from libs.common.contracts import batch as b
from libs.common.contracts import credentials as c
from libs.common.contracts import inference as i
from libs.common.contracts import routing as r
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
ROUTING_QUERIES = (r.GetRoutingPolicy, r.SetRoutingPolicy, r.GetUsage, r.GetSavings, r.EstimateBatch)
VAULT_ROUTE_QUERIES = (r.CheckRoutes, r.ListRenderedOn)
CREDENTIAL_QUERIES = (
    c.GetIntakeKey,
    c.CreateCredential,
    c.ListCredentials,
    c.GetCredential,
    c.UpdateCredential,
    c.VerifyCredential,
    c.ReplaceCredential,
    c.RollBackCredential,
    c.DeleteCredential,
)
VAULT_QUERIES = (c.RotateKey, c.EraseCredentials, c.ReconcileLeases, c.ListAudit)
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
TENANT_QUERIES = (t.CreateTenant, t.ListTenants, t.SetPlan, t.IssueApiKey, t.ListApiKeys, t.RevokeApiKey)

API_KEYS = Queue("gateway.api_keys", "gateway", (t.ApiKeyIssued, t.ApiKeyRevoked))
SUBMISSIONS = Queue("batch.submissions", "batch", (b.SubmitBatch, b.SubmitImage), concurrency=8)
OUTCOMES = Queue("batch.outcomes", "batch", (i.ImagesRendered,), concurrency=32)
TENANT_WEIGHTS = Queue("batch.tenants", "batch", (t.TenantRegistered, t.PlanChanged), concurrency=2)
BATCH_CREDENTIALS = Queue("batch.credentials", "batch", (c.CredentialChanged,), concurrency=4)
VAULT_PLANS = Queue("keyvault.plans", "keyvault", (t.PlanChanged,), concurrency=2)
OBSERVATIONS = Queue("keyvault.observations", "keyvault", (c.CredentialObserved,), concurrency=8)
RENDERS = Queue("inference.renders", "inference", (i.RenderImages,), concurrency=4)
RENDERS_NOW = Queue("inference.renders_now", "inference", (i.RenderImagesNow,), concurrency=4)
REMOTE_RENDERS = Queue("inference.remote_renders", "inference", (i.RenderRemotely,), concurrency=16)
REMOTE_RENDERS_NOW = Queue(
    "inference.remote_renders_now", "inference", (i.RenderRemotelyNow,), concurrency=16
)
PROBES = Queue("inference.probes", "inference", (c.ProbeCredential,), concurrency=16, attempts=3)
NOTIFICATIONS = Queue(
    "webhooks.notifications",
    "webhooks",
    (
        b.BatchCompleted,
        b.BatchFailed,
        b.ImagesCompleted,
        c.CredentialFailed,
        c.CredentialDegraded,
        c.CredentialRecovered,
        c.CredentialExpiring,
        r.SpendCapReached,
    ),
    concurrency=8,
)

SERVICES: dict[str, Service] = {
    service.name: service
    for service in (
        Service(
            "gateway",
            publishes=(b.SubmitBatch, b.SubmitImage),
            queues=(API_KEYS,),
            requests=BATCH_QUERIES + WEBHOOK_QUERIES + ROUTING_QUERIES + CREDENTIAL_QUERIES,
            signals=(t.ApiKeysChanged,),
            listens=(t.ApiKeysChanged, b.BatchProgressed),
        ),
        Service(
            "tenants",
            publishes=(t.TenantRegistered, t.PlanChanged, t.ApiKeyIssued, t.ApiKeyRevoked),
            responds=TENANT_QUERIES,
        ),
        Service(
            "batch",
            publishes=(
                i.RenderImages,
                i.RenderImagesNow,
                i.RenderRemotely,
                i.RenderRemotelyNow,
                b.BatchCompleted,
                b.BatchFailed,
                b.BatchCancelled,
                b.ImagesCompleted,
                r.SpendCapReached,
            ),
            queues=(SUBMISSIONS, OUTCOMES, TENANT_WEIGHTS, BATCH_CREDENTIALS),
            responds=BATCH_QUERIES + ROUTING_QUERIES + VAULT_ROUTE_QUERIES,
            signals=(b.BatchProgressed,),
            listens=(i.WorkerSeen,),
        ),
        Service(
            "inference",
            publishes=(i.ImagesRendered, c.CredentialObserved),
            queues=(RENDERS, RENDERS_NOW, REMOTE_RENDERS, REMOTE_RENDERS_NOW, PROBES),
            requests=(c.LeaseCredential,),
            signals=(i.WorkerSeen,),
            listens=(c.LeasesRevoked,),
        ),
        Service(
            "keyvault",
            publishes=(
                c.ProbeCredential,
                c.CredentialChanged,
                c.CredentialFailed,
                c.CredentialDegraded,
                c.CredentialRecovered,
                c.CredentialExpiring,
            ),
            queues=(OBSERVATIONS, VAULT_PLANS),
            requests=VAULT_ROUTE_QUERIES,
            responds=(*CREDENTIAL_QUERIES, *VAULT_QUERIES, c.LeaseCredential),
            signals=(c.LeasesRevoked,),
        ),
        Service(
            "webhooks",
            publishes=(w.EndpointDisabled,),
            queues=(NOTIFICATIONS,),
            responds=WEBHOOK_QUERIES,
        ),
        Service(OPERATOR, requests=TENANT_QUERIES + VAULT_QUERIES),
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
