# New versions of the tenants' keys, and their ciphertexts moved to them: no plaintext leaves the vault.
path "transit/rewrap/t-*" {
  capabilities = ["update"]
}
path "transit/keys/+/rotate" {
  capabilities = ["update"]
}
path "transit/keys/+/config" {
  capabilities = ["update"]
  allowed_parameters = {
    "min_decryption_version" = []
  }
}
path "transit/keys/+" {
  capabilities = ["read"]
}

# "+" is any one name, and the platform's keys are not the tenants'. ("t-*" would take the place of what ends in
# /rotate and /config, as the vault goes by the first wildcard.)
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
