# shellcheck shell=bash
# Sourced by the scripts, the Makefile and .ci/run: configures and builds one preset of CMakePresets.json.
#
# build_preset PRESET [CMAKE_ARGUMENT...]  runs in the checkout; on failure, prints the log's end and name, returns 1
# build_uses_sanitizers PRESET             whether it needs the packages of group clang, and
# build_runner PRESET                      the words to run its programs with (none, or setarch -R)
# build_stop                               for traps: ends a running build, with all its compilers

BUILD_PID=

build_folder() { # of preset $1, as in CMakePresets.json
    if [[ $1 == release ]]; then printf 'build\n'; else printf 'build-%s\n' "$1"; fi
}

build_uses_sanitizers() {
    [[ $1 == asan || $1 == tsan || $1 == fuzz ]]
}

# Debian 12's sanitizers lose their shadow memory where the kernel randomises addresses widely (vm.mmap_rnd_bits above
# 28): their programs then die at random at the start. Without randomisation they do not.
build_runner() {
    if build_uses_sanitizers "$1" && setarch -R true 2>/dev/null; then printf 'setarch\n-R\n'; fi
}

# A build folder remembers where the sources were; if the checkout was moved or copied, it has to be recreated.
build_is_from_elsewhere() {
    [[ -e $1/CMakeCache.txt ]] && ! grep -qsxF "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD" "$1/CMakeCache.txt"
}

# Runs a command in a process group of its own, so that build_stop reaches everything below it.
build_run() {
    local log=$1 status=0
    shift
    set -m
    "$@" >>"$log" 2>&1 </dev/null &
    BUILD_PID=$!
    set +m
    wait "$BUILD_PID" || status=$?
    BUILD_PID=
    return "$status"
}

build_stop() {
    [[ -z $BUILD_PID ]] || kill -TERM -- "-$BUILD_PID" 2>/dev/null || true
}

# The array BUILD_TARGETS may name the targets; otherwise all are built.
build_preset() {
    local preset=$1 folder log fresh=() targets=()
    [[ -z ${BUILD_TARGETS[*]-} ]] || targets=(--target "${BUILD_TARGETS[@]}")
    shift
    folder=$(build_folder "$preset")
    log=$folder/build.log
    mkdir -p "$folder" && : >"$log" || return 1
    ! build_is_from_elsewhere "$folder" || fresh=(--fresh)
    if ! build_run "$log" cmake "${fresh[@]}" --preset "$preset" "$@" ||
        ! build_run "$log" cmake --build --preset "$preset" -j"$(nproc)" "${targets[@]}"; then
        tail -n 40 "$log" >&2
        printf 'Building preset %s failed; the full output is in %s/%s.\n' "$preset" "$PWD" "$log" >&2
        return 1
    fi
}
