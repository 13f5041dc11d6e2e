# Sourced by other scripts: installs Debian packages where this user may.

# Say how a person with the right to do so installs these packages.
how_to_install() {
    echo "sudo apt-get install --no-install-recommends $*"
}

# Whether there is a Debian here whose packages this user may install without being asked for a password.
may_install() {
    command -v apt-get >/dev/null && { [[ $(id -u) -eq 0 ]] || sudo -n true 2>/dev/null; }
}

# as_root COMMAND…: run it with the rights that may_install found.
as_root() {
    if [[ $(id -u) -eq 0 ]]; then "$@"; else sudo -n "$@"; fi
}

# install_debian_packages PACKAGE…: 0 when installed, 1 when this user may not or the packages cannot be had.
install_debian_packages() {
    may_install || return 1
    local install=(as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@")
    # The package lists may be missing or old: only then are they fetched.
    "${install[@]}" || { as_root apt-get update -q && "${install[@]}"; }
}

# without_system_cluster COMMAND…: while it runs, PostgreSQL's package makes and starts no cluster when it is installed.
without_system_cluster() {
    local refusal=/etc/postgresql-common/createcluster.d/athanor-tests.conf status=0
    if may_install; then
        as_root install -D -m 644 /dev/stdin "$refusal" <<<"create_main_cluster = false" || return 1
    fi
    "$@" || status=$?
    if may_install; then
        as_root rm -f "$refusal"
    fi
    return "$status"
}

# without_services COMMAND…: while it runs, packages that bring a server start none, now or at the next boot.
without_services() {
    local policy=/usr/sbin/policy-rc.d status=0 before after
    local enabled=(find /etc/systemd/system/multi-user.target.wants -name "*.service")
    may_install || { "$@"; return; }
    if [[ -e $policy ]]; then # whoever made it has a policy of their own
        "$@"
        return
    fi
    before=$("${enabled[@]}" 2>/dev/null | sort) || true
    as_root install -m 755 /dev/stdin "$policy" <<<$'#!/bin/sh\nexit 101' || return 1
    "$@" || status=$?
    as_root rm -f "$policy"
    after=$("${enabled[@]}" 2>/dev/null | sort) || true
    comm -13 <(echo "$before") <(echo "$after") | while read -r link; do
        [[ -z $link ]] || as_root rm -f "$link"
    done
    return "$status"
}
