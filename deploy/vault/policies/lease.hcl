# Decrypts a tenant's secret: a credential, which then leaves sealed to one worker, or what the tenants service
# keeps for the row that asks. The only role that reads secrets, and it can do nothing else.
path "transit/decrypt/t-*" {
  capabilities = ["update"]
}
path "transit/decrypt/platform-secrets" {
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
