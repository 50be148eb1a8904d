#!/bin/sh
# Installs Debian's RabbitMQ for `make rabbitmq`, without letting the package start a broker of its own.
# Exits 0 when RabbitMQ is there, 1 with the reason on stderr when it can't be had.
set -eu

server=/usr/lib/rabbitmq/bin/rabbitmq-server
policy=/usr/sbin/policy-rc.d

fail() {
    echo "make rabbitmq: $1" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n -- "$@"; fi
}

restore_policy() {
    if [ -e "$policy.mannequin" ]; then
        as_root mv -f "$policy.mannequin" "$policy"
    else
        as_root rm -f "$policy"
    fi
}

# A package's post-install script asks policy-rc.d whether it may start its service: 101 means no.
forbid_services() {
    if [ -e "$policy" ] && [ ! -e "$policy.mannequin" ]; then as_root mv "$policy" "$policy.mannequin"; fi
    trap restore_policy EXIT
    trap 'exit 130' INT TERM
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 0755 "$policy"
}

install_packages() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 update \
        || fail "apt-get update failed; is a Debian mirror reachable?"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
        install --no-install-recommends rabbitmq-server \
        || fail "apt-get could not install rabbitmq-server; its own message is above"
}

if [ -x "$server" ]; then
    echo "RabbitMQ is already installed."
    exit 0
fi
command -v apt-get >/dev/null || fail "this is not a Debian-like system (no apt-get); install RabbitMQ 3.10 or later by hand"
[ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null \
    || fail "installing packages needs root, and sudo asks for a password here; run: sudo make rabbitmq"
forbid_services
install_packages
[ -x "$server" ] || fail "the package is installed but $server is not there"
echo "RabbitMQ is installed."
