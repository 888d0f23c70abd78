# shellcheck shell=bash
# Installs the Debian packages that building, running and testing need, and only those that are missing.
#
# Sourced:  packages_need GROUP... installs what the groups lack (see PACKAGES); 1, with the reason on stderr, when it
#           cannot.
# Executed: `bash packages.sh install PACKAGE...` is the part that needs root; packages_need runs it, with sudo if
#           necessary.
#
# Installing a database server normally starts it, enables it at boot and creates a cluster. None of that may happen
# here, so the privileged part works under a guard: a policy-rc.d refuses every start, no default PostgreSQL cluster is
# created, and anything that got enabled is disabled again. What the guard changes is recorded in GUARD first, so that
# the next run undoes it even if this one is killed.

PACKAGES_FILE=${BASH_SOURCE[0]}
GUARD=/var/lib/ecosys-ms-install
POLICY=/usr/sbin/policy-rc.d
POLICY_MARK='placed by EcoSys MS while it installs packages'
CLUSTER_CONF=/etc/postgresql-common/createcluster.conf

# Older versions are open to request smuggling and worse (docs/known-limits.md); Debian 12's security updates bring it.
LIBEVENT_FLOOR=2.1.12-stable-8+deb12u1

# One word per package. "a|b" is satisfied by either (b may be a pattern); the first that apt knows is installed.
declare -A PACKAGES=(
    [build]='build-essential cmake pkg-config libpq-dev libmariadb-dev libhiredis-dev libssl-dev libevent-dev
             libmsgpack-dev|libmsgpack-c-dev libyajl-dev libcmocka-dev zlib1g-dev libdeflate-dev libzstd-dev libxxhash-dev
             libsodium-dev libcrypt-dev libsystemd-dev'
    [run]='python3 curl tzdata ca-certificates'
    [servers]='postgresql|postgresql-[1-9][0-9] pgbouncer mariadb-server redis-server'
    [tests]='python3 python3-pytest tzdata openssl whois libfaketime iproute2'
    [examples]='nodejs'
    [bench]='gnuplot-nox'
    [peers]='nginx-light|nginx wrk'
    [clang]='clang libclang-rt-dev|libclang-rt-14-dev llvm'
    [ci]='clang-format clang-tidy cppcheck shellcheck black flake8 git systemd'
)
declare -A PACKAGES_WHY=(
    [build]='to build the worker and the API'
    [run]='to run them and ask them'
    [servers]='for private PostgreSQL, PgBouncer, MariaDB and Redis; no service is started or enabled'
    [tests]='for the tests that are not C'
    [examples]='for the example clients, which are tests too'
    [bench]='for the plots of measurements'
    [peers]='to measure the API beside; no service is started or enabled'
    [clang]='for sanitizers and fuzzing'
    [ci]='for formatting, static analysis and systemd-analyze, without which two tests are skipped'
)

packages_complain() {
    printf '%s\n' "$*" >&2
}

packages_is_installed() {
    local name names
    IFS='|' read -ra names <<<"$1"
    for name in "${names[@]}"; do
        dpkg-query -W -f='${db:Status-Status}\n' "$name" 2>/dev/null | grep -qx installed && return 0
    done
    return 1
}

# Prints what GROUP lacks, one per line.
packages_missing() {
    local package packages
    read -r -d '' -a packages <<<"${PACKAGES[$1]}" || true # read returns 1 as it meets the end, not a NUL
    for package in "${packages[@]}"; do
        packages_is_installed "$package" || printf '%s\n' "$package"
    done
}

packages_version() { # installed version of $1, empty if none
    dpkg-query -W -f='${db:Status-Status} ${Version}\n' "$1" 2>/dev/null | sed -n 's/^installed //p' | head -n 1
}

packages_candidate() {
    apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: //p'
}

packages_libevent_is_old() {
    local version
    version=$(packages_version libevent-dev)
    [[ -n $version ]] && dpkg --compare-versions "$version" lt "$LIBEVENT_FLOOR"
}

packages_libevent_can_rise() {
    packages_libevent_is_old && dpkg --compare-versions "$(packages_candidate libevent-dev)" ge "$LIBEVENT_FLOOR"
}

packages_warn_of_libevent() {
    packages_libevent_is_old || return 0
    packages_complain "warning: libevent $(packages_version libevent-dev) is installed;" \
        "$LIBEVENT_FLOOR fixes security flaws. Your apt sources (as of the last 'apt-get update') do not have it: is the security archive among them?"
}

# Runs the privileged part. Its output goes through a pipe that this side reads: root may be unable to open another
# user's log file in /tmp (fs.protected_regular).
packages_as_root() {
    if [[ $(id -u) -eq 0 ]]; then
        bash "$PACKAGES_FILE" "$@"
    else
        sudo bash "$PACKAGES_FILE" "$@"
    fi
}

packages_can_be_root() {
    [[ $(id -u) -eq 0 ]] && return 0
    command -v sudo >/dev/null || return 1
    # The password is asked for here, where the prompt can be seen, rather than behind the pipe.
    sudo -n true 2>/dev/null || sudo -v
}

# Copies stdin to the log $1 and shows as much of it as a person wants to follow.
packages_follow() {
    local line count=0
    trap '' INT TERM HUP # the privileged part still needs its reader while it cleans up
    while IFS= read -r line; do
        printf '%s\n' "$line" >>"$1"
        case $line in
            '== '*) printf '  %s\n' "${line#== }" ;;
            'Need to get '*) printf '  %s\n' "$line" ;;
            'Unpacking '* | 'Setting up '*)
                count=$((count + 1))
                if [[ -t 1 ]]; then
                    printf '\r\033[K  %3d %.60s' "$count" "$line"
                elif ((count % 40 == 0)); then
                    printf '  %d steps: %s\n' "$count" "$line"
                fi
                ;;
        esac
    done
    [[ -t 1 && $count -gt 0 ]] && printf '\r\033[K'
    return 0
}

packages_install() { # installs "$@", names as in PACKAGES
    local log status=0
    log=$(mktemp "${TMPDIR:-/tmp}/ecosys-packages-XXXXXX.log") || return 1
    (
        set -o pipefail
        packages_as_root install "$@" </dev/null 2>&1 | packages_follow "$log"
    ) || status=$?
    if [[ $status -ne 0 ]]; then
        tail -n 15 "$log" >&2
        packages_complain "Installing packages failed (status $status); the full output is in $log."
        return 1
    fi
    rm -f "$log"
}

packages_need() {
    local group lacking missing=()
    if ! command -v apt-get >/dev/null; then
        packages_complain 'This is not a Debian system (no apt-get):' \
            'install what scripts/lib/packages.sh lists by hand.'
        return 1
    fi
    for group in "$@"; do
        mapfile -t lacking < <(packages_missing "$group")
        [[ ${#lacking[@]} -gt 0 ]] || continue
        printf '  missing %s:\n    %s\n' "${PACKAGES_WHY[$group]}" "${lacking[*]%%|*}"
        missing+=("${lacking[@]}")
    done
    if packages_libevent_can_rise; then
        printf '  libevent %s is to be raised to %s for its security fixes\n' \
            "$(packages_version libevent-dev)" "$LIBEVENT_FLOOR"
        missing+=(libevent-dev)
    fi
    if [[ ${#missing[@]} -eq 0 ]]; then
        [[ ! -e $GUARD || $(id -u) -ne 0 ]] || packages_as_root recover
        packages_warn_of_libevent
        return 0
    fi
    if ! packages_can_be_root; then
        packages_complain "Installing them takes root: run this as root, or as a user who may use sudo." \
            "Missing: ${missing[*]%%|*}"
        return 1
    fi
    packages_install "${missing[@]}" || return 1
    packages_warn_of_libevent
}

# ---- The privileged part

# What starts at boot: "unit NAME" and "init NAME". Early boot (sysinit, rcS) is left alone: it starts no servers, and a
# machine may need what it does start.
guard_enabled() {
    find /etc/systemd/system -mindepth 2 -type l -path '*.wants/*' ! -path '*/sysinit.target.wants/*' \
        -printf 'unit %f\n' 2>/dev/null
    find /etc/rc[2-5].d -name 'S[0-9][0-9]*' -printf '%f\n' 2>/dev/null | sed 's/^S[0-9][0-9]/init /'
}

guard_disable_new() {
    local kind name
    guard_enabled | sort -u | comm -13 "$GUARD/enabled" - | while read -r kind name; do
        case $kind in
            # It refuses to work outside a maintainer script, so it is told that it is in one.
            unit) DPKG_MAINTSCRIPT_PACKAGE=ecosys-ms deb-systemd-helper disable "$name" ;;
            init) update-rc.d "$name" disable ;;
        esac >/dev/null && printf '== disabled again: %s %s\n' "$kind" "$name" ||
            printf '== warning: could not disable %s %s\n' "$kind" "$name"
    done
    [[ ! -d /run/systemd/system ]] || systemctl daemon-reload
}

guard_restore_policy() {
    if [[ -e $GUARD/policy-rc.d || -L $GUARD/policy-rc.d ]]; then
        mv -f "$GUARD/policy-rc.d" "$POLICY"
    elif grep -qsF "$POLICY_MARK" "$POLICY"; then
        rm -f "$POLICY"
    fi
}

# Undoes guard_begin and guard_no_cluster, also those of a killed run. Does nothing if there is nothing to undo.
guard_end() {
    [[ -d $GUARD ]] || return 0
    if [[ -e $GUARD/armed ]]; then
        guard_disable_new || true # the rest must be undone whatever happens
        [[ ! -e $GUARD/createcluster.conf ]] || mv -f "$GUARD/createcluster.conf" "$CLUSTER_CONF"
        guard_restore_policy
    fi
    rm -rf "$GUARD"
}

guard_begin() {
    guard_end
    mkdir -m 0700 "$GUARD"
    guard_enabled | sort -u >"$GUARD/enabled"
    [[ ! -e $POLICY && ! -L $POLICY ]] || cp -a "$POLICY" "$GUARD/policy-rc.d"
    touch "$GUARD/armed"
    printf '#!/bin/sh\n# %s\nexit 101\n' "$POLICY_MARK" >"$GUARD/new-policy"
    chmod 0755 "$GUARD/new-policy"
    mv -f "$GUARD/new-policy" "$POLICY"
}

# The file comes with postgresql-common, which is therefore installed before any server. If it were written before,
# Debian would take it for the administrator's own and keep it for good, and a PostgreSQL installed next year would get
# no cluster. So the package's own file is changed, and only temporarily.
guard_no_cluster() {
    packages_is_installed postgresql-common || packages_apt install postgresql-common
    cp -a "$CLUSTER_CONF" "$GUARD/createcluster.conf.new"
    mv "$GUARD/createcluster.conf.new" "$GUARD/createcluster.conf"
    sed -i '/^[[:space:]]*create_main_cluster/d' "$CLUSTER_CONF"
    printf 'create_main_cluster = false\n' >>"$CLUSTER_CONF"
}

packages_apt() {
    apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 \
        -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold --no-install-recommends "$@"
}

# Of "a|b", the first that apt can install; if none, the last, so that apt says what is wrong.
packages_pick() {
    local name names
    IFS='|' read -ra names <<<"$1"
    for name in "${names[@]}"; do
        [[ $(packages_candidate "$name") == [0-9]* ]] && break
    done
    printf '%s\n' "$name"
}

root_install() {
    local package names=()
    guard_begin
    # An interrupted earlier installation blocks apt until it is completed.
    [[ -z $(dpkg --audit) ]] || dpkg --configure -a --force-confdef --force-confold
    printf '== reading the package lists\n'
    # One unreachable third-party archive must not block the others.
    packages_apt update || printf '== warning: apt-get update failed; going on with the lists there are\n'
    for package in "$@"; do names+=("$(packages_pick "$package")"); done
    ! packages_libevent_can_rise || names+=(libevent-dev)
    if [[ " ${names[*]} " == *' postgresql '* ]]; then
        guard_no_cluster
    fi
    printf '== installing %s packages and what they depend on\n' "${#names[@]}"
    packages_apt install "${names[@]}"
}

root_main() {
    set -euo pipefail
    export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 NEEDRESTART_SUSPEND=1 APT_LISTCHANGES_FRONTEND=none
    export PATH="$PATH:/usr/sbin:/sbin"
    # One at a time on this machine: a second run would take the first one's guard for that of a killed run.
    exec 8</var/lib
    flock 8
    trap guard_end EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    case ${1-} in
        install) shift; root_install "$@" ;;
        recover) ;; # the trap does it
        *) packages_complain 'usage: packages.sh install PACKAGE... | recover'; exit 2 ;;
    esac
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    root_main "$@"
fi
