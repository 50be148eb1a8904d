"""The one map of the flow: who sends each message and who receives it.

Broker topology, the AsyncAPI document and the README's diagram are made from it, and a service that
subscribes to or publishes anything else is refused at start.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from libs.common.contracts import audit as a
from libs.common.contracts import batch as b
from libs.common.contracts import branding as br
from libs.common.contracts import credentials as c
from libs.common.contracts import custom_models as cm
from libs.common.contracts import erasure as e
from libs.common.contracts import human_models as h
from libs.common.contracts import inference as i
from libs.common.contracts import key_health as kh
from libs.common.contracts import people as p
from libs.common.contracts import plans as pl
from libs.common.contracts import quotas as q
from libs.common.contracts import routing as r
from libs.common.contracts import sso as o
from libs.common.contracts import staff as s
from libs.common.contracts import tenants as t
from libs.common.contracts import tokens as k
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
HUMAN_MODEL_QUERIES = (
    h.CreateHumanModel,
    h.ListHumanModels,
    h.GetHumanModel,
    h.UseHumanModel,
    h.UpdateHumanModel,
    h.DeleteHumanModel,
)
ROUTING_QUERIES = (r.GetRoutingPolicy, r.SetRoutingPolicy, r.GetUsage, r.GetSavings, r.EstimateBatch)
QUOTA_QUERIES = (q.Admit, q.GetQuotaUse)
MARGIN_QUERIES = (q.GetMargins, q.ListTenantUsage)
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
TENANT_QUERIES = pl.TENANT_QUERIES

CUSTOM_MODEL_QUERIES = (
    cm.AddModelVersion,
    cm.ListCustomModels,
    cm.GetCustomModel,
    cm.DeleteCustomModel,
    cm.RollOutModel,
    cm.RollBackModel,
)
AUDIT_QUERIES = (a.ListAuditLog, a.VerifyAuditLog)
ERASURE_QUERIES = (e.RequestErasure, e.GetErasure)
TOKEN_QUERIES = (k.SignToken, k.GetTokenKeys)
SECRET_QUERIES = (k.ProtectSecret, k.RevealSecret)
BRANDING_QUERIES = (
    br.GetBranding,
    br.SetBranding,
    br.CheckColours,
    br.SetBrandPicture,
    br.RemoveBrandPicture,
    br.AddDomain,
    br.ListDomains,
    br.GetDomain,
    br.VerifyDomain,
    br.RemoveDomain,
)

AUDIT = Queue("tenants.audit", "tenants", (a.ActionAudited,), concurrency=8)
ERASED = Queue("tenants.erased", "tenants", (e.TenantDataErased,), concurrency=2)
ACCESS = Queue("gateway.access", "gateway", (k.AccessRevoked, t.TenantStatusChanged), concurrency=4)
KEY_USES = Queue("tenants.key_uses", "tenants", (t.ApiKeysUsed,), concurrency=2)
# Their owner announces anew what is missing, so that no retry has to outlive the tenant in the broker.
GATEWAY_ERASURES = Queue(
    "gateway.erasures", "gateway", (e.TenantErasureBegan,), concurrency=1, attempts=5, delays=(1, 5, 15)
)
BATCH_ERASURES = replace(GATEWAY_ERASURES, name="batch.erasures", service="batch")
VAULT_ERASURES = replace(GATEWAY_ERASURES, name="keyvault.erasures", service="keyvault")
INFERENCE_ERASURES = replace(GATEWAY_ERASURES, name="inference.erasures", service="inference")
WEBHOOK_ERASURES = replace(GATEWAY_ERASURES, name="webhooks.erasures", service="webhooks")
BRANDS = Queue("gateway.brands", "gateway", (br.BrandChanged, t.PlanChanged), concurrency=2)
GATEWAY_PLANS = Queue("gateway.plans", "gateway", (t.PlanChanged,), concurrency=2)
API_KEYS = Queue("gateway.api_keys", "gateway", (t.ApiKeyIssued, t.ApiKeyChanged, t.ApiKeyRevoked))
SUBMISSIONS = Queue("batch.submissions", "batch", (b.SubmitBatch, b.SubmitImage), concurrency=8)
OUTCOMES = Queue("batch.outcomes", "batch", (i.ImagesRendered,), concurrency=32)
TENANT_WEIGHTS = Queue(
    "batch.tenants",
    "batch",
    (t.TenantRegistered, t.PlanChanged, t.TenantStatusChanged),
    concurrency=2,
)
BATCH_CREDENTIALS = Queue("batch.credentials", "batch", (c.CredentialChanged,), concurrency=4)
VAULT_PLANS = Queue("keyvault.plans", "keyvault", (t.PlanChanged,), concurrency=2)
OBSERVATIONS = Queue("keyvault.observations", "keyvault", (c.CredentialObserved,), concurrency=8)
MODEL_CHECKS = Queue(
    "inference.model_checks", "inference", (cm.CheckModelVersion,), concurrency=1, attempts=3
)
MODEL_PLANS = Queue("inference.plans", "inference", (t.PlanChanged,), concurrency=2)
RENDERS = Queue("inference.renders", "inference", (i.RenderImages,), concurrency=4)
RENDERS_NOW = Queue("inference.renders_now", "inference", (i.RenderImagesNow,), concurrency=4)
REMOTE_RENDERS = Queue("inference.remote_renders", "inference", (i.RenderRemotely,), concurrency=16)
REMOTE_RENDERS_NOW = Queue(
    "inference.remote_renders_now", "inference", (i.RenderRemotelyNow,), concurrency=16
)
HUMAN_MODEL_CHECKS = Queue(
    "inference.human_model_checks", "inference", (h.CheckHumanModel,), concurrency=2, attempts=6
)
HUMAN_MODELS = Queue("batch.human_models", "batch", (h.HumanModelChecked,), concurrency=4)
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
            publishes=(
                b.SubmitBatch,
                b.SubmitImage,
                t.ApiKeysUsed,
                a.ActionAudited,
                e.TenantDataErased,
            ),
            queues=(API_KEYS, GATEWAY_PLANS, ACCESS, BRANDS, GATEWAY_ERASURES),
            requests=(
                *BATCH_QUERIES,
                *HUMAN_MODEL_QUERIES,
                *CUSTOM_MODEL_QUERIES,
                *WEBHOOK_QUERIES,
                *ROUTING_QUERIES,
                *QUOTA_QUERIES,
                *MARGIN_QUERIES,
                *CREDENTIAL_QUERIES,
                *TENANT_QUERIES,
                kh.ListCredentialHealth,
                w.ListEndpointHealth,
                *AUDIT_QUERIES,
                *ERASURE_QUERIES,
                *TOKEN_QUERIES,
                *p.PEOPLE_QUERIES,
                *o.SSO_QUERIES,
                *s.STAFF_QUERIES,
                *BRANDING_QUERIES,
                *e.EXPORTS,
            ),
            signals=(
                t.ApiKeysChanged,
                br.BrandsChanged,
                e.TenantForgotten,
            ),
            listens=(
                e.TenantForgotten,
                t.ApiKeysChanged,
                br.BrandsChanged,
                b.BatchProgressed,
                k.TokenKeysChanged,
            ),
        ),
        Service(
            "tenants",
            publishes=(
                t.TenantRegistered,
                t.TenantStatusChanged,
                t.PlanChanged,
                t.ApiKeyIssued,
                t.ApiKeyChanged,
                t.ApiKeyRevoked,
                k.AccessRevoked,
                br.BrandChanged,
                e.TenantErasureBegan,
                a.ActionAudited,
            ),
            queues=(AUDIT, ERASED, KEY_USES),
            requests=(*SECRET_QUERIES, e.SignStatement),
            responds=(
                *TENANT_QUERIES,
                *AUDIT_QUERIES,
                *ERASURE_QUERIES,
                e.ExportTenants,
                *p.PEOPLE_QUERIES,
                *o.SSO_QUERIES,
                *s.STAFF_QUERIES,
                *BRANDING_QUERIES,
            ),
        ),
        Service(
            "batch",
            publishes=(
                i.RenderImages,
                i.RenderImagesNow,
                i.RenderRemotely,
                i.RenderRemotelyNow,
                h.CheckHumanModel,
                b.BatchCompleted,
                b.BatchFailed,
                b.BatchCancelled,
                b.ImagesCompleted,
                r.SpendCapReached,
                a.ActionAudited,
                e.TenantDataErased,
            ),
            queues=(SUBMISSIONS, OUTCOMES, TENANT_WEIGHTS, BATCH_CREDENTIALS, HUMAN_MODELS, BATCH_ERASURES),
            responds=(
                *BATCH_QUERIES,
                *HUMAN_MODEL_QUERIES,
                *ROUTING_QUERIES,
                *VAULT_ROUTE_QUERIES,
                *QUOTA_QUERIES,
                *MARGIN_QUERIES,
                e.ExportBatch,
            ),
            signals=(b.BatchProgressed, h.HumanModelDeleted),
            listens=(i.WorkerSeen,),
        ),
        Service(
            "inference",
            publishes=(
                i.ImagesRendered,
                h.HumanModelChecked,
                cm.CheckModelVersion,
                c.CredentialObserved,
                a.ActionAudited,
                e.TenantDataErased,
            ),
            queues=(
                RENDERS,
                RENDERS_NOW,
                REMOTE_RENDERS,
                REMOTE_RENDERS_NOW,
                HUMAN_MODEL_CHECKS,
                MODEL_CHECKS,
                MODEL_PLANS,
                PROBES,
                INFERENCE_ERASURES,
            ),
            requests=(c.LeaseCredential,),
            responds=(*CUSTOM_MODEL_QUERIES, e.ExportInference),
            signals=(i.WorkerSeen,),
            listens=(c.LeasesRevoked, h.HumanModelDeleted, e.TenantForgotten),
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
                a.ActionAudited,
                e.TenantDataErased,
            ),
            queues=(OBSERVATIONS, VAULT_PLANS, VAULT_ERASURES),
            requests=VAULT_ROUTE_QUERIES,
            responds=(
                *CREDENTIAL_QUERIES,
                *VAULT_QUERIES,
                kh.ListCredentialHealth,
                *TOKEN_QUERIES,
                *SECRET_QUERIES,
                k.RotateTokenKey,
                e.SignStatement,
                e.ExportKeyvault,
                c.LeaseCredential,
            ),
            signals=(c.LeasesRevoked, k.TokenKeysChanged),
        ),
        Service(
            "webhooks",
            publishes=(w.EndpointDisabled, a.ActionAudited, e.TenantDataErased),
            queues=(NOTIFICATIONS, WEBHOOK_ERASURES),
            responds=(*WEBHOOK_QUERIES, w.ListEndpointHealth, e.ExportWebhooks),
        ),
        Service(
            OPERATOR,
            requests=(
                *TENANT_QUERIES,
                *VAULT_QUERIES,
                *AUDIT_QUERIES,
                *ERASURE_QUERIES,
                k.RotateTokenKey,
                s.CreateStaff,
                s.ListStaff,
                p.CreateInvite,
            ),
        ),
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
