"""Single sign-on of a tenant by its own identity provider (OpenID Connect Core 1.0, code flow with PKCE)."""
