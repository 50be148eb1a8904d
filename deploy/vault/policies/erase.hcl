# Destroys tenants' keys, and with them all that was ever stored under them.
path "transit/keys/+" {
  capabilities = ["delete"]
}
path "transit/keys/+/config" {
  capabilities = ["update"]
  allowed_parameters = {
    "deletion_allowed" = [true]
  }
}

# "+" is any one name, and the platform's keys are not the tenants'.
path "transit/keys/intake" {
  capabilities = ["deny"]
}
path "transit/keys/intake/+" {
  capabilities = ["deny"]
}
path "transit/keys/fingerprints" {
  capabilities = ["deny"]
}
path "transit/keys/fingerprints/+" {
  capabilities = ["deny"]
}
path "transit/keys/certificates" {
  capabilities = ["deny"]
}
path "transit/keys/certificates/+" {
  capabilities = ["deny"]
}
path "transit/keys/tokens" {
  capabilities = ["deny"]
}
path "transit/keys/tokens/+" {
  capabilities = ["deny"]
}
path "transit/keys/platform-secrets" {
  capabilities = ["deny"]
}
path "transit/keys/platform-secrets/+" {
  capabilities = ["deny"]
}

# Its own token: look at it, renew it, give it back.
path "auth/token/lookup-self" {
  capabilities = ["read"]
}
path "auth/token/renew-self" {
  capabilities = ["update"]
}
path "auth/token/revoke-self" {
  capabilities = ["update"]
}
