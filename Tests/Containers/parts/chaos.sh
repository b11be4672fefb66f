# Whatever happens to the pair, the page stays up, and the pair heals once it can.
echo "containers: chaos"
push "calm"
export REPOSITORY=/repositories/site.git DELAY=500ms
cat >"$work/small.yml" <<YAML
volumes:
  site:
    driver_opts: {type: tmpfs, device: tmpfs, o: "size=24m,mode=0775,uid=65532,gid=0"}
YAML
files=(-f docker-compose.yml -f Tests/Containers/pushed.yml -f "$work/small.yml")
compose up -d >/dev/null 2>&1 || fail "up"
within 60 "the page shows" shows "" calm
# Asks all the time, and notes every answer.
ask() {
    while :; do
        curl -s --max-time 5 -o /dev/null -w '%{http_code}\n' "http://127.0.0.1:$PORT/" >>"$work/answers" || true
        sleep 0.05
    done
}
: >"$work/answers"
ask &
asking=$!
end_asking() { kill "$asking" 2>/dev/null; }
ends+=(end_asking)
up() {
    local answers
    answers=$(sort "$work/answers" | uniq -c | awk '{ print $2, "×", $1 }' | paste -sd, -)
    [[ $answers =~ ^200\ ×\ [0-9]+$ ]] || fail "$1: the page was answered $answers"
    : >"$work/answers"
    ok "$1: the page stayed up ($answers)"
}

kill -KILL "$(pid updater)"
push "after a kill"
within 60 "a killed updater comes back and goes on" shows "" "after a kill"
up "the updater is killed"

compose up -d --force-recreate updater >/dev/null 2>&1 || fail "an upgrade"
push "after an upgrade"
within 60 "an updater that is replaced goes on" shows "" "after an upgrade"
up "the updater is upgraded"

network=$(docker network ls -q --filter "name=${COMPOSE_PROJECT_NAME}_default")
export REPOSITORY=git://remote/site.git
compose up -d remote updater >/dev/null 2>&1
push "over the network"
within 60 "a repository over the network" shows "" "over the network"
docker network disconnect "$network" "$(compose ps -q updater)"
within 60 "the updater says that the network is gone" says updater "pass failed, will retry"
push "the network is back"
sleep 60
docker network connect "$network" "$(compose ps -q updater)"
# It asks ever less often.
within 150 "it heals when the network is back" shows "" "the network is back"
up "the network is removed for a minute"

head -c 40000000 /dev/urandom >"$work/source/large"
push "too large"
within 60 "the updater says that the volume is too small" says updater "more on the file system of\|No space left on device"
shows "" "the network is back" || fail "the page while the volume is full"
git_ rm -q --cached large && rm "$work/source/large"
push "small again"
within 60 "it heals with the next commit" shows "" "small again"
up "the volume is too small"

volume=/proc/$(pid updater)/root/srv
chown -R 12345:12345 "$volume"/.sidekick "$volume"
chmod -R go-w "$volume"/.sidekick "$volume"
push "another owner"
within 60 "the updater says whose the volume is, and what gives it back" says updater "chown -R 65532 /srv/.sidekick"
shows "" "small again" || fail "the page while the volume is another's"
chown -R 65532:0 "$volume"/.sidekick "$volume"
chmod -R g+w "$volume"
within 60 "it heals when the volume is its own again" shows "" "another owner"
up "the volume is another's"
end_asking

kill -KILL "$(pid web)"
within 60 "a killed web server comes back" shows "" "another owner"
if [ -n "${RESTART_ENGINE:-}" ]; then
    $RESTART_ENGINE >"$work/engine" 2>&1 || fail "the engine: $(tail -3 "$work/engine")"
    within 60 "the engine is restarted, and the web server with it" answers "" 503
    # A volume in the engine's memory is empty then. The remote, which nobody starts again, is part of the test alone.
    compose start remote >/dev/null 2>&1
    within 90 "and its sidekick, which fills the volume again" shows "" "another owner"
    push "after the engine"
    within 60 "and it goes on" shows "" "after the engine"
fi
down
