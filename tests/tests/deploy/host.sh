# What a host has and this machine has not: a name of its own, root, and a manager of services.

hostname() { echo "$HOST"; }

sudo() {
    if [ "$1" = -u ]; then shift 2; fi
    "$@"
}

service_start() {
    # shellcheck disable=SC2086
    setsid $EXEC_START >>"$HOST_FOLDER/log" 2>&1 </dev/null &
    echo $! >"$HOST_FOLDER/pid"
}

service_end() {
    local pid
    pid=$(cat "$HOST_FOLDER/pid")
    kill "$1" "$pid"
    # What has ended may stand in the list of processes until somebody looks.
    while grep -qs '^State:.[^ZX]' "/proc/$pid/status"; do sleep 0.1; done
}

service_kill() { service_end -9; }

systemctl() {
    case "$1 $2" in
        "start archipel" | "enable --now") service_start ;;
        "stop archipel" | "disable --now") service_end -TERM ;;
        "restart archipel") service_end -TERM; service_start ;;
        *) echo "a page says: systemctl $*" >&2; return 1 ;;
    esac
}
