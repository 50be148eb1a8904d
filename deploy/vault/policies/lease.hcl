# Decrypts a tenant's secret, which then leaves sealed to one worker. The only role that reads secrets, and it
# can do nothing else.
path "transit/decrypt/t-*" {
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
