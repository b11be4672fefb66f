# The pair as docker-compose.yml has it.
echo "containers: the pair follows its own checkout when nothing is set"
compose up -d >/dev/null 2>&1 || fail "docker compose up"
git show HEAD:Examples/site/index.html >"$work/expected"
same() { page "" | cmp -s - "$work/expected"; }
within 60 "the page is Examples/site/index.html of HEAD" same
within 30 "web is healthy" healthy web
within 30 "updater is healthy" healthy updater
updater=$(compose ps -q updater) web=$(compose ps -q web)
status() { grep "^$2:" "/proc/$(pid "$1")/status" | cut -f2; }
for service in updater:65532 web:101; do
    name=${service%:*}
    [ "$(status "$name" Uid)" = "${service#*:}" ] || fail "$name runs as $(status "$name" Uid)"
    for set in CapEff CapPrm CapBnd CapInh CapAmb; do
        [ "$(status "$name" $set)" = 0000000000000000 ] || fail "$name: $set is $(status "$name" $set)"
    done
    [ "$(status "$name" NoNewPrivs)" = 1 ] || fail "$name may gain privileges"
    docker inspect -f '{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.Memory}} {{.HostConfig.PidsLimit}}' "$(compose ps -q "$name")" \
        | grep -qE '^true [1-9][0-9]+ [1-9][0-9]+$' || fail "$name's limits"
done
ok "neither is root, has a capability or may gain one; both have limits"
[ "$(docker inspect -f '{{range .Mounts}}{{if eq .Destination "/srv"}}{{.RW}}{{end}}{{end}}' "$web")" = false ] || fail "web's mount"
docker exec "$web" touch /srv/x 2>/dev/null && fail "web can write into the volume"
docker exec "$web" touch /etc/x 2>/dev/null && fail "web can write into its image"
ok "web's mount and its root are read-only"
docker exec "$updater" /bin/sh -c true 2>/dev/null && fail "the updater has a shell"
docker exec "$updater" git --version 2>/dev/null && fail "the updater has git"
ok "the updater has neither a shell nor git"
for service in updater web; do
    written=$(docker diff "$(compose ps -q $service)" | grep -v ' /checkout$\| /srv$\| /tmp$\| /run$\| /var$\| /var/run$' || true) # the engine's own mounts
    [ -z "$written" ] || fail "$service writes outside of its mounts: $written"
done
ok "neither writes outside of its mounts"
# But for the engine's own name server.
listening=$(awk '$4 == "0A" && $2 !~ /^0B00007F/' "/proc/$(pid updater)/net/tcp" "/proc/$(pid updater)/net/tcp6")
[ -z "$listening" ] || fail "the updater listens: $listening"
ok "the updater listens nowhere"
docker exec "$web" readlink /srv/www | grep -q '^.sidekick/www/trees/' || fail "the layout is not link"
ok "the layout is link"
compose stop --timeout 5 updater >/dev/null 2>&1
[ "$(docker inspect -f '{{.State.ExitCode}}' "$updater")" = 0 ] || fail "exit status after docker stop"
same || fail "the page while the updater is stopped"
compose start updater >/dev/null 2>&1
within 30 "updater is healthy again" healthy updater
same || fail "the page after a restart"
ok "a restart leaves the page up"
down

echo "containers: a pair whose remote is down comes up and heals, and a push shows"
files=(-f docker-compose.yml -f Tests/Containers/pushed.yml)
export REPOSITORY=git://remote/site.git DELAY=500ms
push "first"
docker compose "${files[@]}" up -d >/dev/null 2>&1 || fail "up while the remote is down"
within 20 "web says that nothing is published yet" answers "" 503
within 30 "updater is healthy although its remote is down" healthy updater
compose up -d remote >/dev/null 2>&1
within 60 "the remote returns and the page shows" shows "" first
push "second"
within 30 "a push shows" shows "" second
compose stop --timeout 2 remote >/dev/null 2>&1
sleep 2
shows "" second || fail "the page while the remote is down"
ok "the page stays while the remote is down"
down

echo "containers: a volume mounted exactly at DESTINATION, any uid of group 0"
files=(-f docker-compose.yml -f Tests/Containers/exact.yml)
export REPOSITORY=/repositories/site.git
compose up -d >/dev/null 2>&1 || fail "up with the volume at DESTINATION"
within 60 "the page shows" shows "" second
push "third"
within 30 "a push shows" shows "" third
answers ".sidekick/status.json" 404 || fail "the state is served"
ok "the state inside the folder is not served"
down

