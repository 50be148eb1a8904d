# Takes secrets in: opens what was sealed for the intake, encrypts it under the tenant's key, which it makes at
# first. It decrypts nothing that is stored.

# "update" alone: with "create" transit would make a key that is missing, and not as we want it.
path "transit/encrypt/t-*" {
  capabilities = ["update"]
}

# "+" is one name and nothing after it: with "t-*" this would be the right to rotate and configure as well. What
# is there is not changed by making it again; what is new is derived, and not exportable.
path "transit/keys/+" {
  capabilities = ["update", "read"]
  allowed_parameters = {
    "type"    = ["aes256-gcm96"]
    "derived" = [true]
  }
}

# Of the platform itself: what it keeps for its own people.
path "transit/encrypt/platform-secrets" {
  capabilities = ["update"]
}
path "transit/keys/platform-secrets" {
  capabilities = ["read"]
}

path "transit/decrypt/intake" {
  capabilities = ["update"]
}
path "transit/keys/intake" {
  capabilities = ["read"]
}
path "transit/keys/fingerprints" {
  capabilities = ["deny"]
}
path "transit/keys/certificates" {
  capabilities = ["deny"]
}
path "transit/keys/tokens" {
  capabilities = ["deny"]
}
path "transit/hmac/fingerprints" {
  capabilities = ["update"]
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
