# Signs access tokens, tells the public keys, and makes the key's next version.
path "transit/sign/tokens" {
  capabilities = ["update"]
}
path "transit/keys/tokens" {
  capabilities = ["read"]
}
path "transit/keys/tokens/rotate" {
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
