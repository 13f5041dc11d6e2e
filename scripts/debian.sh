# Sourced by other scripts: installs Debian packages where this user may.

# Say how a person with the right to do so installs these packages.
how_to_install() {
    echo "sudo apt-get install --no-install-recommends $*"
}

# install_debian_packages PACKAGE…: 0 when installed, 1 when this user may not or the packages cannot be had.
install_debian_packages() {
    local root=()
    command -v apt-get >/dev/null || return 1
    if [[ $(id -u) -ne 0 ]]; then
        sudo -n true 2>/dev/null || return 1
        root=(sudo -n)
    fi
    local install=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@")
    # The package lists may be missing or old: only then are they fetched.
    "${install[@]}" || { "${root[@]}" apt-get update -q && "${install[@]}"; }
}
