# What deploy/compose adds.
secret=s3cr3t-of-webhooks
printf '%s\n' $secret >"$work/webhook-secret"
chmod 0444 "$work/webhook-secret"

echo "containers: a webhook through the web server"
push "before"
export REPOSITORY=/repositories/site.git DELAY=1h WEBHOOK_SECRET=$work/webhook-secret
files=(-f docker-compose.yml -f deploy/compose/webhook.yml -f Tests/Containers/pushed.yml)
compose up -d >/dev/null 2>&1 || fail "up with a webhook"
within 60 "the page shows" shows "" before
hook() { curl -s --max-time 10 -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $secret" "$@" || true; }
push "pushed"
[ "$(hook -d '{"ref":"refs/heads/main"}' "http://127.0.0.1:$PORT/_sidekick/webhooks/generic")" = 202 ] || fail "the webhook is not accepted"
within 5 "a push shows at once" shows "" pushed
for path in _sidekick/status _sidekick/metrics _sidekick/sync _sidekick/webhooks/../sync _sidekick/webhooks/ _sidekick/webhooks/generic/x _sidekick/; do
    [ "$(hook --path-as-is -X POST "http://127.0.0.1:$PORT/$path")" = 404 ] || fail "$path is answered $(hook --path-as-is -X POST "http://127.0.0.1:$PORT/$path")"
done
[ "$(hook "http://127.0.0.1:$PORT/_sidekick/webhooks/generic")" = 403 ] || fail "GET of a webhook"
head -c 1100000 /dev/zero >"$work/large"
[ "$(hook --data-binary "@$work/large" "http://127.0.0.1:$PORT/_sidekick/webhooks/generic")" = 413 ] || fail "1.1 MB"
[ "$(curl -s -o /dev/null -w '%{http_code}' -d '{}' "http://127.0.0.1:$PORT/_sidekick/webhooks/generic")" = 401 ] || fail "unsigned"
ok "nothing else of what the updater serves is to be had from outside"
docker exec "$(compose ps -q updater)" /usr/local/bin/sidekick health || fail "health"
compose stop --timeout 2 updater >/dev/null 2>&1
compose restart --timeout 2 web >/dev/null 2>&1
within 20 "the web server starts without its sidekick" shows "" pushed
down
unset WEBHOOK_SECRET

echo "containers: a private repository over ssh, its key a secret of one user's"
push "over ssh"
ssh-keygen -q -t ed25519 -N "" -f "$work/host"
ssh-keygen -q -t ed25519 -N "" -f "$work/deploy"
chown 4321 "$work/deploy"
sshd=$(free_port)
printf 'command="git-upload-pack %s" %s\n' "'$REPOSITORIES/site.git'" "$(cat "$work/deploy.pub")" >"$work/authorized"
cat >"$work/sshd_config" <<CONF
ListenAddress 0.0.0.0
Port $sshd
HostKey $work/host
AuthorizedKeysFile $work/authorized
StrictModes no
UsePAM no
PasswordAuthentication no
PidFile none
PermitRootLogin prohibit-password
AcceptEnv GIT_PROTOCOL
CONF
mkdir -p /run/sshd
/usr/sbin/sshd -D -f "$work/sshd_config" -E "$work/sshd.log" &
sshd_pid=$!
end_sshd() { kill "$sshd_pid" 2>/dev/null; }
ends+=(end_sshd)
printf 'services: {updater: {extra_hosts: ["gateway:host-gateway"]}}\n' >"$work/gateway.yml"
printf '[gateway]:%s %s\n' "$sshd" "$(cut -d' ' -f1,2 "$work/host.pub")" >"$work/known_hosts"
chmod 0444 "$work/known_hosts"
export REPOSITORY=ssh://root@gateway:$sshd/site.git DELAY=500ms SSH_KEY=$work/deploy SSH_KNOWN_HOSTS=$work/known_hosts SIDEKICK_UID=4321
files=(-f docker-compose.yml -f deploy/compose/ssh.yml -f "$work/gateway.yml")
compose up -d >/dev/null 2>&1 || fail "up over ssh"
within 60 "the page shows" shows "" "over ssh"
push "over ssh again"
within 20 "a push shows" shows "" "over ssh again"
down
end_sshd
unset SSH_KEY SSH_KNOWN_HOSTS SIDEKICK_UID

echo "containers: three pairs behind one load balancer"
push "three"
export REPOSITORY=/repositories/site.git DELAY=500ms
pairs=(updater1 updater2 updater3)
{
    echo "services:"
    for pair in "${pairs[@]}"; do printf '  %s: {image: %s, volumes: ["%s:/repositories:ro"]}\n' "$pair" "$updater_image" "$REPOSITORIES"; done
    for web in balancer web1 web2 web3; do printf '  %s: {image: %s}\n' "$web" "$web_image"; done
} >"$work/balanced.yml"
files=(--project-directory deploy/compose -f deploy/compose/balanced.yml -f "$work/balanced.yml")
compose up -d --no-build >"$work/up" 2>&1 || fail "up with three pairs: $(tail -5 "$work/up")"
within 60 "the page shows" shows "" three
same_everywhere() { # TEXT
    local web tags
    for web in web1 web2 web3; do
        [ "$(docker exec "$(compose ps -q $web)" curl -s http://127.0.0.1:8080/)" = "$1" ] || return 1
    done
    tags=$(for web in web1 web2 web3; do docker exec "$(compose ps -q $web)" curl -sI http://127.0.0.1:8080/ | grep -i '^etag:'; done | sort -u)
    [ "$(wc -l <<<"$tags")" = 1 ] && grep -qi etag <<<"$tags"
}
within 60 "all three answer with one ETag" same_everywhere three
push "four"
within 30 "one push, and all three answer with the new one" same_everywhere four
tag=$(curl -sI "http://127.0.0.1:$PORT/" | grep -i '^etag:' | cut -d' ' -f2- | tr -d '\r')
for _ in 1 2 3 4 5 6; do
    [ "$(curl -s -o /dev/null -w '%{http_code}' -H "If-None-Match: $tag" "http://127.0.0.1:$PORT/")" = 304 ] || fail "a revalidation by another pair"
done
ok "a browser may ask any of them"
compose stop --timeout 2 web2 >/dev/null 2>&1
for _ in 1 2 3 4 5 6; do shows "" four || fail "a request while one pair is down"; done
ok "one pair down is nobody's loss"
compose restart --timeout 2 balancer >/dev/null 2>&1
within 20 "a balancer that starts meanwhile finds the others" shows "" four
for _ in 1 2 3 4 5 6; do shows "" four || fail "a request after the balancer's restart"; done
down

echo "containers: one webhook for three pairs"
push "five"
export DELAY=1h WEBHOOK_SECRET=$work/webhook-secret
files=(--project-directory deploy/compose -f deploy/compose/balanced.yml -f deploy/compose/balanced-webhook.yml -f "$work/balanced.yml")
compose up -d --no-build >"$work/up" 2>&1 || fail "up with three pairs and a webhook: $(tail -5 "$work/up")"
within 60 "all three serve the page" same_everywhere five
push "six"
[ "$(hook -d '{"ref":"refs/heads/main"}' "http://127.0.0.1:$PORT/_sidekick/webhooks/generic")" = 202 ] || fail "the webhook is not accepted"
within 5 "one webhook to one of them, and all three show the push" same_everywhere six
[ "$(curl -s -o /dev/null -w '%{http_code}' -d '{}' "http://127.0.0.1:$PORT/_sidekick/webhooks/peer")" = 404 ] || fail "a stranger among the replicas"
answers _sidekick/ready 204 || fail "ready, through the balancer"
ok "replicas are not to be talked to from outside"
down
unset WEBHOOK_SECRET
