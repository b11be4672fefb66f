# The web server's image, by itself: what it takes to run, and what its log says.
echo "containers: the web server"
docker run --rm --network none --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges "$web_image" nginx -t -e /dev/stderr >"$work/nginx" 2>&1 \
    || fail "nginx -t: $(cat "$work/nginx")"
ok "nginx -t, as an ordinary user on a read-only root"
push "in the log"
files=(-f docker-compose.yml -f Tests/Containers/pushed.yml)
export REPOSITORY=/repositories/site.git
compose up -d >/dev/null 2>&1 || fail "up"
within 60 "the page shows" shows "" "in the log"
commit=$(git_ rev-parse HEAD)
logged() { says web "\"GET / HTTP/1.1\" 200 .*commit=$commit"; }
within 10 "the access log says which commit answered" logged
[ "$(code _sidekick/ready)" = 204 ] || fail "/_sidekick/ready: $(code _sidekick/ready)"
[ "$(code .git/HEAD)" = 404 ] && [ "$(code .sidekick/www/status.json)" = 404 ] || fail "dotfiles"
grep -qi '^server: nginx.$' <<<"$(curl -sI "http://127.0.0.1:$PORT/")" || fail "its version is told: $(curl -sI "http://127.0.0.1:$PORT/")"
ok "ready when there is content, dotfiles refused, its version is its own"
down
