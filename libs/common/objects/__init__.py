"""Object storage behind one small port: a folder, S3, GCS or Azure by URL."""

from libs.common.objects.objects import Objects, Stored, tenant_key

__all__ = ["Objects", "Stored", "tenant_key"]
