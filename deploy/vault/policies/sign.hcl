# Signs certificates of erasure.
path "transit/sign/certificates" {
  capabilities = ["update"]
}
path "transit/keys/certificates" {
  capabilities = ["read"]
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
