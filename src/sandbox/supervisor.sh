# Owns one throw-away server on behalf of the process at the other end of stdin.
#
#     sh supervisor.sh BIN PARENT...
#
# BIN is the folder of the server binaries. A private folder is made in the first PARENT where this user may do so, and
# its path printed. Then come commands on stdin, one a line; the exit status of each is printed. When stdin ends, and it
# does however the other process came to its end (drop, exit, panic, Ctrl-C, kill -9), the server is stopped and the
# folder removed.

# HUP to TSTP are meant for the other process; PIPE comes from answering one that is gone. None may keep the clean-up
# below from happening. The server sets its own handlers for all of them.
trap '' HUP INT QUIT TERM TSTP PIPE
umask 077

bin=$1
shift
folder=
for parent; do
    folder=$(mktemp -d "$parent/coexist.XXXXXX" 2>/dev/null) && break
done
[ -n "$folder" ] && cd "$folder" || exit
printf '%s\n' "$folder"

pg_ctl() {
    "$bin/pg_ctl" "$@" -D data -l log --wait --timeout=60 </dev/null >>log 2>&1
}

init() {
    # The order of C is the same everywhere; C.UTF-8 makes lower() and friends know more than ASCII, where the system
    # has it.
    for ctype in C.UTF-8 C; do
        "$bin/initdb" -D data --username=postgres --auth=trust --encoding=UTF8 --locale=C --lc-ctype="$ctype" \
            --no-sync </dev/null >>log 2>&1 && return
    done
}

while read -r command; do
    case $command in
        init) init ;;
        start) pg_ctl start ;;
        stop) pg_ctl stop --mode=fast ;;
        kill) pg_ctl stop --mode=immediate ;;
    esac
    echo $?
done

[ -e data/postmaster.pid ] && pg_ctl stop --mode=immediate
cd /
rm -rf -- "$folder"
